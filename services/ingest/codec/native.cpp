#include "services/ingest/codec/native.h"

#include "common/base/text.h"
#include "services/ingest/codec/record_writer.h"

namespace liveops::ingest {
namespace {

constexpr std::size_t kEmitterBytesMax = 128;

template <typename T>
std::span<const T> SpanOf(const google::protobuf::RepeatedField<T>& field) {
  return {field.data(), static_cast<std::size_t>(field.size())};
}

}  // namespace

BatchViews::BatchViews(const v1::MetricBatch& batch) {
  strings_.assign(batch.strings().begin(), batch.strings().end());
  series_.reserve(static_cast<std::size_t>(batch.series_size()));
  for (const v1::SeriesEntry& s : batch.series())
    series_.push_back({s.kind(), s.metric(), s.unit(), s.labels()});
  histograms_.reserve(static_cast<std::size_t>(batch.histograms_size()));
  for (const v1::HistogramPoint& h : batch.histograms()) {
    histograms_.push_back({h.series(), h.time_delta_ms(), h.duration_ms(), h.count(), h.sum(),
                           SpanOf(h.bounds()), SpanOf(h.bucket_counts())});
  }
  input_ = {batch.service(),
            strings_,
            series_,
            batch.base_time_ms(),
            SpanOf(batch.point_series()),
            SpanOf(batch.point_time_delta_ms()),
            SpanOf(batch.point_duration_ms()),
            SpanOf(batch.point_value()),
            histograms_};
}

Status CheckSource(const v1::Source& source) {
  if (source.emitter().empty())
    return InvalidError("source.emitter is empty; name the sending instance");
  if (source.emitter().size() > kEmitterBytesMax) {
    return InvalidError("source.emitter is longer than " + std::to_string(kEmitterBytesMax) +
                        " bytes");
  }
  if (!IsValidUtf8(source.emitter())) return InvalidError("source.emitter is not UTF-8");
  if (source.session() == 0) {
    return InvalidError(
        "source.session is 0; draw a random one at each start, so that a retry is not counted "
        "twice");
  }
  if (source.sequence() == 0) {
    return InvalidError(
        "source.sequence is 0; count the requests of a session from 1, and keep the number in a "
        "retry");
  }
  return {};
}

std::uint64_t PointsOf(const v1::MetricBatch& batch) {
  return static_cast<std::uint64_t>(batch.point_value_size()) +
         static_cast<std::uint64_t>(batch.histograms_size());
}

std::string EncodeBatch(const v1::Source& source, std::string_view service, v1::Protocol protocol,
                        const admit::Admitted& batch) {
  return EncodeBatch(wire::Source{source.emitter(), source.session(), source.sequence()}, service,
                     static_cast<Protocol>(protocol), batch);
}

void FillRejections(const std::vector<admit::Rejection>& rejections,
                    google::protobuf::RepeatedPtrField<v1::Rejection>* out) {
  for (const admit::Rejection& rejection : rejections) {
    v1::Rejection* const entry = out->Add();
    entry->set_reason(admit::RefusalWord(rejection.reason));
    entry->set_points(rejection.points);
    entry->set_example(ScrubUtf8(rejection.example));
  }
}

}  // namespace liveops::ingest
