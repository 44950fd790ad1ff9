#include "services/ingest/codec/record_writer.h"

#include <cstdint>
#include <span>

#include "common/wire/writer.h"

namespace liveops::ingest {
namespace {

const auto kAsIs = [](auto v) { return static_cast<std::uint64_t>(v); };

void WriteSource(auto& out, const wire::Source& source) {
  out.Text(1, source.emitter);
  out.Fixed64(2, source.session);
  out.Number(3, source.sequence);
}

void WriteSeries(auto& out, const admit::Series& series) {
  out.Fixed64(1, series.fingerprint.hi);
  out.Fixed64(2, series.fingerprint.lo);
  out.Number(3, static_cast<std::uint64_t>(series.kind));
  out.Number(4, series.metric);
  out.Number(5, series.unit);
  out.Text(6, series.labels);
}

void WriteHistogram(auto& out, const admit::Histogram& histogram) {
  const std::span<const std::uint64_t> one(&histogram.count, 1);
  out.Number(1, histogram.series);
  out.Number(2, wire::ToZigZag(histogram.time_delta_ms));
  out.Number(3, histogram.duration_ms);
  out.Number(4, histogram.count);
  out.Double(5, histogram.sum);
  out.PackedDoubles(6, histogram.bounds);
  out.Packed(7, histogram.bucket_counts.empty() ? one : histogram.bucket_counts, kAsIs);
}

void WriteBatch(auto& out, std::string_view service, Protocol protocol,
                const admit::Admitted& batch) {
  out.Text(1, service);
  out.Number(2, static_cast<std::uint64_t>(protocol));
  for (const std::string_view text : batch.strings) out.Element(3, text);
  for (const admit::Series& series : batch.series) {
    out.Message(4, [&](auto& inside) { WriteSeries(inside, series); });
  }
  out.Number(5, wire::ToZigZag(batch.base_time_ms));
  out.Packed(6, std::span(batch.point_series), kAsIs);
  out.Packed(7, std::span(batch.point_time_delta_ms), wire::ToZigZag);
  out.Packed(8, std::span(batch.point_duration_ms), kAsIs);
  out.PackedDoubles(9, batch.point_value);
  for (const admit::Histogram& histogram : batch.histograms) {
    out.Message(10, [&](auto& inside) { WriteHistogram(inside, histogram); });
  }
}

}  // namespace

std::string EncodeBatch(const wire::Source& source, std::string_view service, Protocol protocol,
                        const admit::Admitted& batch) {
  return wire::BytesOf([&](auto& record) {
    record.Message(1, [&](auto& out) { WriteSource(out, source); });
    record.Message(2, [&](auto& out) { WriteBatch(out, service, protocol, batch); });
  });
}

}  // namespace liveops::ingest
