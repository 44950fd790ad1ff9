#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/labels.h"
#include "services/rule-evaluation/engine/record.h"
#include "services/rule-evaluation/engine/timeline.h"

// For tests: a script's text as records.
namespace liveops::engine::testing {

struct PointDef {
  std::string series;
  double value = 0;
  std::int64_t duration = 0;
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;
};

// A record with what its views point at.
struct Held {
  std::int64_t order = 0;  // nominal append time, ms from the beginning
  RecordView view;
  std::deque<std::string> strings;
  std::vector<SeriesView> series;
  std::vector<std::uint32_t> point_series;
  std::vector<std::int64_t> deltas;
  std::vector<std::uint64_t> durations;
  std::vector<double> values;
  std::deque<PointDef> points;
  std::vector<HistogramView> histograms;
  std::vector<std::pair<std::string_view, std::uint64_t>> refused;
  std::string show;  // not a record: an alarm to show
  std::string_view Keep(std::string text) { return strings.emplace_back(std::move(text)); }
};

// decommission T NAME=VALUE … [reason=R], of service "shop".
inline void ReadDecommission(const std::vector<std::string>& words, Instant at, Held& held) {
  Labels labels;
  DecommissionView view;
  view.service = "shop";
  view.time = at;
  for (std::size_t i = 2; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    const std::string value = words[i].substr(equals + 1);
    if (words[i].starts_with("reason=")) {
      view.reason = held.Keep(value);
    } else {
      labels.Set(words[i].substr(0, equals), value);
    }
  }
  view.labels = held.Keep(labels.Encode());
  held.view.body = view;
}

// The records in order; `fault` says what is wrong with the script.
std::deque<Held> ReadScript(const Script& script, std::string& fault);

}  // namespace liveops::engine::testing
