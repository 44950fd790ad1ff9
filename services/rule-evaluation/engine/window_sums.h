#pragma once

#include <cstddef>
#include <cstdint>

#include "services/rule-evaluation/engine/state.h"

// What the counters of a window counted in it: the part of measure.cpp that looks at each series
// by itself.
namespace liveops::engine {

// A window of a rule by its panes.
struct Span {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t end_ms = 0;
  bool earlier = false;  // of the earlier time that a test is compared with
};

Span SpanOf(const Rule& rule, const Cells& cells, std::int64_t pane);

// "A window without a point uses the series' newest one until 2 x its reporting interval."
const Member::Last* StillGood(const State& s, const Member& member, const Span& span);

// What the panes of one counter in a window add up to, oldest first.
struct PaneSum {
  bool known = false;  // something was counted, zero included
  double increase = 0;
  double covered = 0;
  double loose = 0;
};

// Of one column of the sums of all.
PaneSum SumOf(const sketch::PaneGrid::Sums& sums, std::size_t column);

struct Increase {
  bool known = false;       // something was counted, zero included
  bool rate_known = false;  // and over a known time
  double raw = 0;           // events in the window
  double estimate = 0;      // rate x window: what a whole window would have
  double per_ms = 0;
};

// `at_least`: what is sure to stay, nothing extrapolated and nothing from before the window.
Increase OfMember(const State& s, std::int64_t window_ms, const Member& member, PaneSum sum,
                  const Span& span, bool at_least);
// The same of one column, whose panes nobody has added up yet.
Increase OfColumn(const State& s, const Rule& rule, const Cells& cells, std::size_t column,
                  const Span& span);
// Of all counters of an operand.
Increase OfCounters(const State& s, const Rule& rule, const Cells& cells,
                    const sketch::PaneGrid::Sums& sums, std::size_t operand, const Span& span,
                    bool at_least);

}  // namespace liveops::engine
