#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/labels.h"
#include "services/ingest/admit/admit.h"

namespace liveops::admit {

// A batch of points that ingest makes itself, with all that it views.
class BatchBuilder {
 public:
  explicit BatchBuilder(std::string service) : service_(std::move(service)) { Text(""); }
  BatchBuilder(const BatchBuilder&) = delete;
  BatchBuilder& operator=(const BatchBuilder&) = delete;

  // One more; each is to be given once. `unit`: "" = not declared.
  std::uint32_t Series(SeriesKind kind, std::string_view metric, std::string_view unit,
                       const Labels& labels);
  // `covered_ms`: of counters and distributions, how long before the time they began; 0 = not
  // known. `after_ms`: how far it lies from Input's time.
  void Point(std::uint32_t series, double value, std::uint64_t covered_ms,
             std::int64_t after_ms = 0);
  void HistogramPoint(std::uint32_t series, std::uint64_t count, double sum,
                      std::vector<double> bounds, std::vector<std::uint64_t> counts,
                      std::uint64_t covered_ms, std::int64_t after_ms = 0);

  const std::string& service() const { return service_; }
  std::uint64_t points() const { return values_.size() + histograms_.size(); }
  std::size_t bytes() const { return bytes_; }  // what it takes in memory, about
  // All points are of `time`, but for what they lie from it. It holds as long as this, until more
  // is added.
  BatchInput Input(RealTime time) const;

 private:
  std::uint32_t Text(std::string_view text);

  const std::string service_;
  std::deque<std::string> texts_;
  std::vector<std::string_view> strings_;
  std::vector<SeriesInput> series_;
  std::vector<std::uint32_t> point_series_;
  std::vector<std::int64_t> time_deltas_;
  std::vector<std::uint64_t> durations_;
  std::vector<double> values_;
  std::deque<std::vector<double>> bounds_;
  std::deque<std::vector<std::uint64_t>> counts_;
  std::vector<HistogramInput> histograms_;
  std::size_t bytes_ = 0;
};

}  // namespace liveops::admit
