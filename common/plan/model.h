#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/labels.h"
#include "common/base/time.h"

namespace liveops::plan {

// The plan as the engine, the notifier and remediation see it: names resolved, aliases inlined,
// units decided. Plain values; made by Parse (plan/parse.h), never changed afterwards. Thread-safe
// when const.

enum class Severity { kCritical, kHigh, kMedium, kLow };
const char* SeverityName(Severity severity);  // "critical", …

// How soon an answer to a page is expected.
struct Response {
  Duration within{0};  // 0 = on the next business day
  bool next_business_day() const { return within == Duration::zero(); }
  friend bool operator==(const Response&, const Response&) = default;
};
// Where a plan says nothing: 5min, 30min, 1h, next business day.
Response DefaultResponse(Severity severity);
// "5min", or "next business day": as a plan says it.
std::string CanonicalText(const Response& response);

enum class Comparison { kGreater, kGreaterEqual, kLess, kLessEqual };
const char* ComparisonSign(Comparison op);  // ">", ">=", "<", "<="
bool Holds(double value, Comparison op, double threshold);

enum class Aggregate {
  kLast,  // gauge: newest reading; without `by`, the worst series in the comparison's direction
  kAvg,   // gauge: mean of readings; observations: mean
  kMin,
  kMax,
  kSum,       // observations and deltas: sum of values
  kCount,     // number of observations or of events
  kIncrease,  // counter: rate x window
  kRate,      // counter: increase / time covered
  kQuantile,  // observations and histograms, `quantile` says which
};

struct LabelMatch {
  std::string name;
  bool negate = false;  // !=
  std::string value;
  friend bool operator==(const LabelMatch&, const LabelMatch&) = default;
};

// One aggregate of one metric.
struct Operand {
  Aggregate aggregate = Aggregate::kLast;
  double quantile = 0;  // 0..1, for kQuantile
  std::string metric;
  std::vector<LabelMatch> matches;  // all must hold
  friend bool operator==(const Operand&, const Operand&) = default;
};

// What a rule looks at, over one window: the first operand, or the ratio of the first to the
// second.
//
// unit is that of the result and the threshold: "ms", "s", "%", "1", "/min", … A share (a ratio, or
// a value with a capacity) is in "1", or in "%": then multiplied by 100. Every other measure stays
// in the unit of its series, except that a rate is per `per`.
struct Measure {
  Operand value;
  std::optional<Operand> denominator;  // both are then increases
  double capacity = 0;                 // > 0: the value is divided by it ("DB connections" of 200)
  Duration per{0};  // > 0 with kRate only: 1min for req/min, 1s when the plan says nothing
  std::string unit;
  bool IsShare() const { return denominator.has_value() || capacity > 0; }
  friend bool operator==(const Measure&, const Measure&) = default;
};

// `measure by labels over window OP threshold for hold`
struct Condition {
  Measure measure;
  std::vector<std::string> by;  // sorted; empty = one group a service
  Duration window{60'000};
  Comparison op = Comparison::kGreater;
  double threshold = 0;  // in measure.unit ("%": 1 means one per cent)
  Duration hold{0};
  friend bool operator==(const Condition&, const Condition&) = default;
};

// Panes of a window are window / 30, at least 1 s.
Duration PaneLength(Duration window);

// `ratio(http_5xx_count, http_request_count) over 1min > 1% for 3min`: aliases inlined, window and
// hold always written, likewise `last(db_connection_count) of 200 over 1min > 80% for 10min` and
// `rate(http_request_count) per 1min by zone over 1min < 10/min for 0s`. ParseCondition reads it
// back to an equal Condition, if the condition is one that a plan can say.
std::string CanonicalText(const Condition& condition);

// SHA-256, hex, of the canonical text: an alarm whose digest did not change keeps its state over a
// plan edit.
std::string Digest(const Condition& condition);

// When the alarm counts as recovered; without one, at the first "false" at the watermark.
struct Clear {
  Comparison op = Comparison::kLess;
  double threshold = 0;  // in the condition's unit
  Duration hold{0};
  friend bool operator==(const Clear&, const Clear&) = default;
};

enum class NoData {
  kKeep,  // silence is shown (state no_data is not entered), a firing alarm stays firing
  kFire,  // silence is a state of the alarm and is told like a firing
};

struct Alarm {
  std::string name;
  Condition when;
  std::optional<Clear> clear;
  Severity severity = Severity::kMedium;
  std::string owner;  // a name among Plan::owners
  bool page = true;   // false: recorded and shown, never routed
  NoData no_data = NoData::kKeep;
  std::uint64_t min_count =
      20;  // fewer events than this withhold "true" (ratios, quantiles and averages of events)
  std::string summary;
  std::string runbook;
};

struct Owner {
  std::string name;       // "on-call"
  std::string title;      // "On-call Engineer"
  std::string slack;      // channel, "" = none
  std::string pagerduty;  // name of a routing key in notifier's configuration, "" = none
};

struct Expect {
  Condition condition;  // hold 0
  Duration within{0};
};

struct Remediation {
  std::string name;
  Condition when;
  std::uint64_t min_count = 20;
  // Arguments after "kubectl": {"rollout", "undo", "deployment/<name>"}, then {"-n", "<namespace>"}
  // where the plan says so; nothing else ever.
  std::vector<std::string> kubectl;
  std::string approval_from;  // owner
  Duration approval_within{900'000};
  std::optional<Expect> expect;
  std::string page_with;  // alarm whose page carries the proposal, "" = none
};

struct Plan {
  std::string service;
  int phase = 0;
  std::vector<Owner> owners;
  std::vector<Alarm> alarms;
  std::vector<Remediation> remediations;
  std::vector<std::pair<std::string, Duration>>
      lateness;       // metric -> allowed lateness, where the plan says so
  Duration dedup{0};  // an alarm that fires again within this of its last page waits; 0 = off
  // By severity; never sooner for a lower one.
  std::array<Response, 4> response = {
      DefaultResponse(Severity::kCritical), DefaultResponse(Severity::kHigh),
      DefaultResponse(Severity::kMedium), DefaultResponse(Severity::kLow)};

  const Owner* FindOwner(std::string_view name) const;
  const Alarm* FindAlarm(std::string_view name) const;
  const Response& ResponseTo(Severity severity) const {
    return response[static_cast<std::size_t>(severity)];
  }
};

}  // namespace liveops::plan
