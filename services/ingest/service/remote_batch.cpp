#include "services/ingest/service/remote_batch.h"

#include "common/wire/writer.h"

namespace liveops::ingest {
namespace {

constexpr std::size_t kEnvelopeBytes = 1000;
constexpr std::size_t kPointBytes = 24;

// As far as there are numbers: what is no time is refused as such when it is judged.
std::int64_t Minus(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return a < b ? INT64_MIN : INT64_MAX;
}

std::uint64_t Covered(std::int64_t time_ms, std::int64_t start_ms) {
  return start_ms > 0 && start_ms < time_ms ? static_cast<std::uint64_t>(time_ms - start_ms) : 0;
}

}  // namespace

std::size_t RecordBytesOfPoint() { return kPointBytes; }

std::size_t RecordBytesOf(const NativeHistogram& histogram) {
  std::size_t bytes = 2 * kPointBytes + 8 * histogram.bounds().size();
  for (const std::uint64_t count : histogram.counts()) bytes += wire::VarintSize(count);
  return bytes;
}

void RemoteBatch::Begin(std::uint32_t service) {
  service_ = service;
  bytes_ = kEnvelopeBytes;
  any_ = false;
  point_series_.clear();
  point_time_delta_ms_.clear();
  point_duration_ms_.clear();
  point_value_.clear();
  histograms_.clear();
  bounds_.clear();
  counts_.clear();
}

std::int64_t RemoteBatch::Delta(std::int64_t time_ms) {
  if (!any_) base_time_ms_ = time_ms;
  any_ = true;
  return Minus(time_ms, base_time_ms_);
}

void RemoteBatch::Add(std::uint32_t series, std::int64_t time_ms, std::int64_t start_ms,
                      double value) {
  const std::uint64_t duration = Covered(time_ms, start_ms);
  if (duration > 0 && point_duration_ms_.empty()) point_duration_ms_.resize(point_value_.size());
  point_series_.push_back(series);
  point_time_delta_ms_.push_back(Delta(time_ms));
  point_value_.push_back(value);
  if (duration > 0 || !point_duration_ms_.empty()) point_duration_ms_.push_back(duration);
}

void RemoteBatch::Add(std::uint32_t series, const NativeHistogram& histogram) {
  admit::HistogramInput& point = histograms_.emplace_back();
  point.series = series;
  point.time_delta_ms = Delta(histogram.time_ms());
  point.duration_ms = Covered(histogram.time_ms(), histogram.start_ms());
  point.count = histogram.count();
  point.sum = histogram.sum();
  // Where they will lie is known when all have come.
  point.bounds = histogram.bounds();
  point.bucket_counts = histogram.counts();
  bounds_.insert(bounds_.end(), histogram.bounds().begin(), histogram.bounds().end());
  counts_.insert(counts_.end(), histogram.counts().begin(), histogram.counts().end());
}

admit::BatchInput RemoteBatch::Input(std::string_view service) {
  const double* bounds = bounds_.data();
  const std::uint64_t* counts = counts_.data();
  for (admit::HistogramInput& point : histograms_) {
    point.bounds = {bounds, point.bounds.size()};
    point.bucket_counts = {counts, point.bucket_counts.size()};
    bounds += point.bounds.size();
    counts += point.bucket_counts.size();
  }
  admit::BatchInput input;
  input.service = service;
  input.base_time_ms = base_time_ms_;
  input.point_series = point_series_;
  input.point_time_delta_ms = point_time_delta_ms_;
  input.point_duration_ms = point_duration_ms_;
  input.point_value = point_value_;
  input.histograms = histograms_;
  return input;
}

}  // namespace liveops::ingest
