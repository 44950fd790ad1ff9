#include "services/ingest/codec/log_batches.h"

#include "liveops/v1/logs.pb.h"

namespace liveops::ingest {
namespace {

constexpr std::size_t kFieldBytes = 12;  // upper estimate of a tag and a length, or of a number

std::size_t BytesOf(const admit::LogAttributes& attributes) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : attributes)
    bytes += name.size() + value.size() + 3 * kFieldBytes;
  return bytes;
}

std::size_t BytesOf(const admit::LogLine& line) {
  return line.message.size() + line.endpoint.size() + line.logger.size() + 24 + 11 * kFieldBytes +
         BytesOf(line.attributes);
}

void Fill(const admit::LogAttributes& attributes,
          google::protobuf::RepeatedPtrField<v1::LogAttribute>& out) {
  for (const auto& [name, value] : attributes) {
    v1::LogAttribute& attribute = *out.Add();
    attribute.set_name(name);
    attribute.set_value(value);
  }
}

void Fill(const admit::LogLine& line, const TimeMap& map, v1::LogRecord& out) {
  out.set_time_ms(ToMs(map.ToDomain(RealFromMs(line.time_ms))));
  out.set_level(static_cast<v1::LogLevel>(line.level));
  out.set_message(line.message);
  out.set_endpoint(line.endpoint);
  out.set_trace_id(line.trace_id);
  out.set_span_id(line.span_id);
  out.set_logger(line.logger);
  Fill(line.attributes, *out.mutable_attributes());
  out.set_dropped_attributes(line.dropped_attributes);
  out.set_query_ms(line.query_ms);
}

}  // namespace

std::vector<std::string> EncodeLogs(const admit::LogGroup& group, const TimeMap& map,
                                    std::size_t bytes_max, wire::Source& source) {
  const std::size_t common =
      group.service.size() + source.emitter.size() + 6 * kFieldBytes + BytesOf(group.resource);
  std::vector<std::string> records;
  v1::LogBatch batch;
  std::size_t bytes = 0;
  const auto finish = [&] {
    if (batch.records_size() == 0) return;
    batch.mutable_source()->set_emitter(std::string(source.emitter));
    batch.mutable_source()->set_session(source.session);
    batch.mutable_source()->set_sequence(source.sequence++);
    batch.set_service(group.service);
    Fill(group.resource, *batch.mutable_resource());
    records.push_back(batch.SerializeAsString());
    batch.Clear();
  };
  for (const admit::LogLine& line : group.lines) {
    const std::size_t more = BytesOf(line);
    if (batch.records_size() == 0 || bytes + more > bytes_max) {
      finish();
      bytes = common;
    }
    bytes += more;
    Fill(line, map, *batch.add_records());
  }
  finish();
  return records;
}

}  // namespace liveops::ingest
