#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/base/time.h"
#include "services/rule-evaluation/engine/shard.h"

// For tests: a shard's log and what comes out of it, as text.
namespace liveops::engine::testing {

// Plays a script into a shard and gives what it told, a line each. Times count from 09:00:00 of a
// day. A line of the script is one of
//   series E delta http_5xx_count endpoint=/a unit=1   names a series: delta, cumulative, gauge,
//   observation, histogram,
//                                                      histogram_cumulative; service=S for another
//                                                      than "shop"
//   10s: E=2 R=100            one batch with these points at this event time, appended at the same
//   time 0s..3min every 5s: E=2    one each 5 s, the end included. A value may name what it covers:
//   E=2/5s; a histogram is
//                             H=100:5,200:10,inf:1 (count by upper bound, sum by the bounds). After
//                             the points:
//                             @delay=3s (appended later) @event=-1h (its emitter's clock) @seq=7
//                             @emitter=x @session=2
//                             @noseq @otlp @remote
//   plan 5min NAME [v2]       activates a plan of `plans`
//   ticks a 0s..10min         instance a ticks each 250 ms; without any such line "i" does all the
//   time refuse a 10s..20s         its ticks say that it does not accept refused 10s shop its ticks
//   say that it refused points of the service ("*": of any; instance "i") goodbye a 30s broker
//   2min..3min +1h the broker's clock is off probe 3min ID within=5min EXPRESSION deploy 1min 42
//   TEXT decommission 2min pod=a reason=scale-in show 2min ALARM           a line on the alarm as
//   it stands end 10min                 ticks until here (required) alert 10s alertmanager Down
//   firing pod=a     an alert that others judge; or over, or 10s..1h
//                             every 1min in place of 10s. @since=T (10s) @until=T (firing: 4min
//                             later, over: now) @severity=W @summary=W @link=W @service=S
// Every script is also played with a restart (snapshot, restore) at many records: the same must
// come out, and the same bytes must be the state at the end; if not, the result says so.
struct Script {
  std::map<std::string, std::string, std::less<>> plans;  // by name
  std::string text;
  TimeMap map;
};

struct Outcome {
  std::string told;   // lines "3min latency firing crossed 612 ms"
  std::string fault;  // of the script, or of a restart; "" = none
  std::vector<Transition> transitions;
  ShardCounters counters;
};

Outcome Play(const Script& script);
// Play for one plan from the beginning; a fault is given as the result.
std::string Told(std::string_view plan, std::string_view script);

// A plan of service "shop" with these alarms (YAML list items, indented by two), and the usual
// metrics.
std::string PlanOf(std::string_view alarms, std::string_view rest = "");

// One of a single alarm; `more` of its keys begin with a comma.
std::string One(std::string_view name, std::string_view when, std::string_view more = "");

// Every field.
std::string Dump(const Transition& t);

inline constexpr std::int64_t kNine = 1'770'195'600'000;  // 2026-02-04T09:00:00Z

}  // namespace liveops::engine::testing
