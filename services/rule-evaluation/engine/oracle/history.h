#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "services/rule-evaluation/engine/record.h"

namespace liveops::engine::oracle {

// All times are ms from here.
inline constexpr std::int64_t kNine = 1'770'195'600'000;  // 2026-02-04T09:00:00Z

struct HistorySeries {
  std::string name;  // for people
  Fingerprint fingerprint;
  SeriesKind kind = SeriesKind::kGauge;
  std::string metric;
  std::string unit;
  std::vector<std::pair<std::string, std::string>> label_pairs;
  std::string labels;  // canonical bytes
};

struct HistoryPoint {
  std::size_t series = 0;
  std::int64_t time = 0;
  std::int64_t duration = 0;
  double value = 0;
  // Of a histogram, with one count more than bounds.
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;
};

// One record of the log, with what it says.
struct HistoryRecord {
  enum class Kind { kBatch, kTick, kPlan, kDecommission, kProbe };
  Kind kind = Kind::kTick;
  std::int64_t at = 0;   // append time
  bool restart = false;  // before it: snapshot, restore

  // a batch
  std::string emitter;
  std::uint64_t session = 1;
  std::uint64_t sequence = 0;
  Protocol protocol = Protocol::kNative;
  std::vector<HistoryPoint> points;

  // a tick
  std::string instance;
  std::uint64_t instance_session = 1;
  bool accepting = true;
  bool goodbye = false;
  std::string refused_service;  // "" = no points were refused, "*" = of any

  // a plan
  std::uint64_t version = 0;
  std::vector<std::string> alarms;  // YAML list items, a line each
  std::string slices;               // an objective of slices, a YAML list item; "" = none

  // a decommission
  std::vector<std::pair<std::string, std::string>> pairs;

  // a probe
  std::string probe;  // its id
  std::string expression;
  std::int64_t within = 0;
  bool early = false;  // it is of the time of the plan before it; some shards read it before that
};

struct History {
  std::uint64_t seed = 0;
  std::vector<HistorySeries> series;
  // How late points of this metric may be, said by each plan that reads it; "" = nothing said.
  std::string late_metric;
  std::string lateness;
  std::string objective;            // of each plan, a YAML list item; "" = none
  std::size_t groups_max = 10'000;  // of one condition
  std::vector<HistoryRecord> records;

  // The plan file that a record activates.
  std::string PlanText(const HistoryRecord& record) const;
  // As a script of timeline.h, as far as it has words for it: what a person may start from.
  std::string ToString() const;
};

// A record's view, and what it points at; good until the next Make.
class RecordMaker {
 public:
  const RecordView& Make(const History& history, const HistoryRecord& record, std::int64_t offset);

 private:
  RecordView view_;
  std::vector<SeriesView> series_;
  std::vector<std::uint32_t> index_;
  std::vector<std::int64_t> deltas_;
  std::vector<std::uint64_t> durations_;
  std::vector<double> values_;
  std::vector<HistogramView> histograms_;
  std::vector<std::pair<std::string_view, std::uint64_t>> refused_;
  std::string text_;
};

// A random plan, and random things that happen to it. The same seed gives the same history.
History MakeHistoryOfMinutes(std::uint64_t seed);
// The same with windows that are not thirty panes of whole seconds, and aggregates that few ask
// for.
History MakeOddHistory(std::uint64_t seed);
// Of minutes; in some an hour or more goes by in which no series speaks, or one does, and in some
// hours in which pods come and go for good.
History MakeHistory(std::uint64_t seed);
// The same; in all of them pods come and go.
History MakeHistoryWithChurn(std::uint64_t seed);

}  // namespace liveops::engine::oracle
