#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "services/ingest/admit/admit.h"
#include "services/ingest/codec/native_histogram.h"

// Inside this folder.
namespace liveops::ingest {

// Points of one service, which become one record, or one a partition that it is spread over. Used
// again it needs no more memory. Times are real.
class RemoteBatch {
 public:
  // Empty, for points of the service with this number.
  void Begin(std::uint32_t service);
  std::uint32_t service() const { return service_; }

  // `start_ms`: when the counting began; what is not before the time says nothing.
  void Add(std::uint32_t series, std::int64_t time_ms, std::int64_t start_ms, double value);
  // One that was laid.
  void Add(std::uint32_t series, const NativeHistogram& histogram);
  // How large a record of it is, about.
  std::size_t bytes() const { return bytes_; }
  void AddBytes(std::size_t bytes) { bytes_ += bytes; }

  // Views this, and holds until more is added.
  admit::BatchInput Input(std::string_view service);

 private:
  std::int64_t Delta(std::int64_t time_ms);

  std::uint32_t service_ = UINT32_MAX;
  std::size_t bytes_ = 0;
  bool any_ = false;
  std::int64_t base_time_ms_ = 0;
  std::vector<std::uint32_t> point_series_;
  std::vector<std::int64_t> point_time_delta_ms_;
  std::vector<std::uint64_t> point_duration_ms_;  // empty while all are 0
  std::vector<double> point_value_;
  std::vector<admit::HistogramInput> histograms_;
  std::vector<double> bounds_;         // of the histograms, one after another
  std::vector<std::uint64_t> counts_;  // likewise
};

// What a point takes in a record beside its series, about.
std::size_t RecordBytesOfPoint();
std::size_t RecordBytesOf(const NativeHistogram& histogram);

}  // namespace liveops::ingest
