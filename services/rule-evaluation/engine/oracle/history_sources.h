#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "services/rule-evaluation/engine/record.h"

// Inside the generator of histories: who says what, when.
namespace liveops::engine::oracle {

struct Range {
  std::int64_t from = 0;
  std::int64_t to = 0;
  bool Has(std::int64_t t) const { return t >= from && t < to; }
};

inline bool In(const std::vector<Range>& ranges, std::int64_t t) {
  return std::any_of(ranges.begin(), ranges.end(), [t](const Range& r) { return r.Has(t); });
}

// Series with these labels say nothing for a time.
struct Stop {
  std::vector<std::pair<std::string, std::string>> pairs;
  Range when;
  bool Holds(const std::vector<std::pair<std::string, std::string>>& labels, std::int64_t t) const {
    return when.Has(t) && std::all_of(pairs.begin(), pairs.end(), [&](const auto& pair) {
             return std::find(labels.begin(), labels.end(), pair) != labels.end();
           });
  }
};

// What a series' source remembers.
struct Source {
  std::size_t metric = 0;
  bool durations = false;  // it says since when it counts
  double total = 0;
  std::int64_t started = 0;  // of its count
  std::int64_t said = -1;    // its last point
  std::vector<std::uint64_t> buckets = std::vector<std::uint64_t>(5);
};

// Who sends some of the series.
struct Emitter {
  std::string name;
  Protocol protocol = Protocol::kNative;
  bool sequences = true;
  bool one_time = true;  // all points of a batch at one event time
  bool whole = false;    // which is a whole second, where panes end
  std::int64_t interval = 5000;
  std::int64_t jitter = 0;
  std::int64_t skew = 0;
  std::int64_t delay = 100;
  int slow_percent = 0;  // of its batches come up to 5 s late
  int late_percent = 0;  // later than anyone waits
  int twice_percent = 0;
  int future_percent = 0;
  int left_out_percent = 5;
  std::vector<std::size_t> series;
  std::vector<Range> silent;
  std::uint64_t sequence = 0;
};

}  // namespace liveops::engine::oracle
