#include "services/ingest/codec/otlp_packer.h"

#include <array>

namespace liveops::ingest {
namespace {

constexpr std::size_t kEnvelopeBytes = 200;
constexpr std::size_t kSeriesBytes = 40;  // of a series, without its strings

}  // namespace

std::uint32_t OtlpPacker::Series(admit::SeriesKind kind, std::string_view metric,
                                 std::string_view unit, std::string_view labels,
                                 std::size_t point_bytes) {
  if (builder_ == nullptr)
    builder_ = &builders_.try_emplace(service_, out_.memory.get()).first->second;
  const std::size_t series_bytes = kSeriesBytes + labels.size() + metric.size() + unit.size();
  if (builder_->bytes == 0 || builder_->bytes + point_bytes + series_bytes > bytes_max_) {
    StartBatch();
  }
  builder_->bytes += point_bytes;
  const char kind_byte = static_cast<char>(kind);
  const std::array<std::string_view, 4> identity = {std::string_view(&kind_byte, 1), metric, unit,
                                                    labels};
  OtlpBatch& batch = Batch();
  const auto [found, fresh] = builder_->series.try_emplace(
      FingerprintOf(identity), static_cast<std::uint32_t>(batch.series.size()));
  if (!fresh) return found->second;
  builder_->bytes += series_bytes;
  const auto kept = Keep(std::span<const char>(labels));
  batch.series.push_back({static_cast<int>(kind), StringIndex(metric), StringIndex(unit),
                          std::string_view(kept.data(), kept.size())});
  return found->second;
}

void OtlpPacker::Add(admit::SeriesKind kind, std::string_view metric, std::string_view unit,
                     std::string_view labels, std::int64_t time_ms, std::uint64_t duration_ms,
                     double value) {
  const std::uint32_t series = Series(kind, metric, unit, labels, kPointBytes);
  OtlpBatch& to = batch(time_ms);
  to.point_series.push_back(series);
  to.point_time_delta_ms.push_back(time_ms - to.base_time_ms);
  to.point_duration_ms.push_back(duration_ms);
  to.point_value.push_back(value);
}

OtlpBatch& OtlpPacker::batch(std::int64_t time_ms) {
  OtlpBatch& batch = Batch();
  if (batch.points() == 0) batch.base_time_ms = time_ms;
  return batch;
}

void OtlpPacker::StartBatch() {
  builder_->series.clear();
  builder_->strings.clear();
  builder_->batch = out_.batches.size();
  builder_->bytes = kEnvelopeBytes;
  out_.batches.emplace_back().service = service_;
}

std::uint32_t OtlpPacker::StringIndex(std::string_view text) {
  OtlpBatch& batch = Batch();
  const auto [found, fresh] =
      builder_->strings.try_emplace(text, static_cast<std::uint32_t>(batch.strings.size()));
  if (fresh) batch.strings.push_back(text);
  return found->second;
}

}  // namespace liveops::ingest
