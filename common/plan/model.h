#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/labels.h"
#include "common/base/time.h"

namespace liveops::plan {

// The plan as the engine, the notifier and remediation see it: names resolved, aliases inlined,
// units decided. Plain values; made by Parse (plan/parse.h), never changed afterwards. Thread-safe
// when const.

enum class Severity { kCritical, kHigh, kMedium, kLow };
inline constexpr Severity kSeverities[] = {Severity::kCritical, Severity::kHigh, Severity::kMedium,
                                           Severity::kLow};
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
bool IsUpward(Comparison op);  // ">" and ">="

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
  kStddev,    // gauge: of its readings; observations and histograms: of the values (population)
  kDistinct,  // any series: how many values of a label speak
};
// A plain number, whatever the series are in.
inline bool IsCount(Aggregate aggregate) {
  return aggregate == Aggregate::kCount || aggregate == Aggregate::kDistinct;
}

struct LabelMatch {
  std::string name;
  bool negate = false;  // !=
  std::string value;
  friend bool operator==(const LabelMatch&, const LabelMatch&) = default;
};

// In braces it names whose series are read, and is no label: `{service="payments"}`.
inline constexpr std::string_view kServiceLabel = "service";

// One aggregate of one metric.
struct Operand {
  Aggregate aggregate = Aggregate::kLast;
  double quantile = 0;              // 0..1, for kQuantile
  std::string metric;               // "" = every series of the service, with kReporters only
  std::string service;              // whose series they are; "" = the plan's own
  std::vector<LabelMatch> matches;  // all must hold
  Duration per{0};  // > 0 with kRate only: 1min for req/min, 1s when the plan says nothing
  // Of an operand of a formula: what its series are converted to before the formula is computed.
  // "" elsewhere: there the measure's own unit says it.
  std::string unit;
  std::string
      label;  // kDistinct, kReporters: whose values are counted; series without are not read
  friend bool operator==(const Operand&, const Operand&) = default;
};

// A step of a formula in postfix order: operands and numbers are pushed, a sign takes the last two
// and pushes what they make.
struct FormulaStep {
  enum class Kind { kOperand, kNumber, kAdd, kSubtract, kMultiply, kDivide };
  Kind kind = Kind::kNumber;
  std::size_t operand = 0;  // index, for kOperand
  double number = 0;        // for kNumber
  friend bool operator==(const FormulaStep&, const FormulaStep&) = default;
};

// What a comparison looks at, over one window.
//
// unit is that of the result and the threshold: "ms", "s", "%", "1", "/min", … A share (a ratio, a
// shortfall, or a value with a capacity) is in "1", or in "%": then multiplied by 100. Every other
// measure stays in the unit of its series, except that a rate is per `per`.
struct Measure {
  enum class Form {
    kPlain,      // operands[0]
    kRatio,      // what part of operands[1] is operands[0]; both are then increases
    kShortfall,  // what part of operands[1] is missing in operands[0]: 1 - ratio, from 0 to 1
    kFormula,    // `formula` over the operands, of which there are at most kOperandsMax
    kReporters,  // how many values of operands[0]'s label report: `<` and `>=` a whole number
  };
  static constexpr std::size_t kOperandsMax = 8;

  Form form = Form::kPlain;
  std::vector<Operand> operands = {Operand{}};
  std::vector<FormulaStep> formula;  // kFormula only
  double capacity = 0;  // kPlain, > 0: the value is divided by it ("DB connections" of 200)
  std::string unit;

  const Operand& value() const { return operands.front(); }
  Operand& value() { return operands.front(); }
  // A part of a whole that is counted: ratio and shortfall.
  bool IsRatio() const { return form == Form::kRatio || form == Form::kShortfall; }
  bool IsShare() const { return IsRatio() || capacity > 0; }
  friend bool operator==(const Measure&, const Measure&) = default;
};

// `measure by labels over window OP threshold`
struct Test {
  Measure measure;
  std::vector<std::string> by;  // sorted; empty = one group a service
  Duration window{60'000};
  Comparison op = Comparison::kGreater;
  double threshold = 0;  // in ThresholdUnit ("%": 1 means one per cent)
  // `topk(5, …)`, > 0: only so many groups, those with the greatest values, are held against the
  // threshold. Of a condition's first test only.
  int top = 0;
  // `compared to 1d ago`, > 0: what is compared with the threshold is the measure in per cents of
  // what it was so long ago. Not with kFormula.
  Duration ago{0};
  bool IsCompared() const { return ago.count() > 0; }
  friend bool operator==(const Test&, const Test&) = default;
};

// `3 of 5min`: true at the ends of at least `needed` of the last `of` whole slots (1 min).
struct Quorum {
  int needed = 0;  // 0 = no quorum is asked for
  int of = 0;
  Duration slot{60'000};  // a minute or an hour
  friend bool operator==(const Quorum&, const Quorum&) = default;
};

// A step of the logic that joins tests, in postfix order; three-valued (Kleene). `a unless b` is
// `a and not b`.
struct LogicStep {
  enum class Kind { kTest, kAnd, kOr, kUnless };
  Kind kind = Kind::kTest;
  std::size_t test = 0;  // for kTest: 0 = the condition's own, i = more[i - 1]
  friend bool operator==(const LogicStep&, const LogicStep&) = default;
};

// Of a test's value and threshold: the measure's, or per cents of what it was.
std::string ThresholdUnit(const Test& test);

// `test for hold`, or several tests joined by and, or, unless. The first test gives the alarm its
// groups, and the value and threshold that are shown; the labels of every other test are the same,
// or a part of them (then all groups that share those labels see the same value).
struct Condition : Test {
  static constexpr std::size_t kTestsMax = 8;  // one that is compared counts twice

  std::vector<Test> more;
  std::vector<LogicStep> logic;  // empty when `more` is
  Duration hold{0};
  Quorum quorum;  // in place of a hold
  friend bool operator==(const Condition&, const Condition&) = default;
};

// Of a window: it is a whole number of panes, to the millisecond, at most 30 of at least 1 s each.
Duration PaneLength(Duration window);

// Of an earlier time at most so many panes are kept, beside those of one window.
inline constexpr int kEarlierPanesMax = 1440;
// Of the window `ago` before another, which is as long: as fine as that allows, from the panes of
// the other one to a single one. The window is at least ago / kEarlierPanesMax.
Duration EarlierPaneLength(Duration window, Duration ago);

// `ratio(http_5xx_count, http_request_count) over 1min > 1% for 3min`: aliases inlined, window and
// hold always written, likewise `last(db_connection_count) of 200 over 1min > 80% for 10min`,
// `rate(http_request_count) per 1min by zone over 1min < 10/min for 0s`,
// `avg(a) in ms - avg(b) in ms over 1min > 5ms for 3 of 5min`, `fewer than 3 by pod over 1min for
// 0s`, `p95(a) in ms over 1min > 150% compared to 1d ago for 5min` and `ratio(e, r) over 1h > 1.44%
// and ratio(e, r) over 5min > 1.44% for 0s`. ParseCondition reads it back to an equal Condition, if
// the condition is one that a plan can say.
std::string CanonicalText(const Condition& condition);

// The measure's part of it: `ratio(http_5xx_count, http_request_count)`.
std::string CanonicalText(const Measure& measure);

// The operand's series alone: `http_request_count{code="500"}`.
std::string CanonicalSeries(const Operand& operand);

// SHA-256, hex, of the canonical text: an alarm whose digest did not change keeps its state over a
// plan edit.
std::string Digest(const Condition& condition);

// The tests of a condition: its own, then `more`.
std::size_t TestCount(const Condition& condition);
const Test& TestOf(const Condition& condition, std::size_t i);

// When the alarm counts as recovered (of a condition of one test only); without one, at the first
// "false" at the watermark.
struct Clear {
  Comparison op = Comparison::kLess;
  double threshold = 0;  // in the condition's unit
  Duration hold{0};
  friend bool operator==(const Clear&, const Clear&) = default;
};

// `< 0.5% for 2min`: as a clear of an alarm with this condition.
std::string CanonicalText(const Clear& clear, const Condition& condition);

// A worse severity of the same alarm: where the same value is further beyond, that of the first
// test, and the whole condition is true. What a level reaches, those below it have reached too.
struct Level {
  Severity severity = Severity::kCritical;
  Comparison op = Comparison::kGreater;  // in the condition's direction
  double threshold = 0;                  // in the condition's unit, beyond that of the level below
  Duration hold{0};                      // the condition's where the plan says nothing; 0 and
                                         // the condition's quorum, where it has one
  std::optional<Clear> clear;
  friend bool operator==(const Level&, const Level&) = default;
};

// `> 500ms for 1min`: as the `when` of a level of an alarm with this condition.
std::string CanonicalText(const Level& level, const Condition& condition);

// An alarm that opens more than `times` times within a time is damped: that opening is told as
// flapping, and the alarm stays open until it has been clear for `quiet`.
struct Flapping {
  static constexpr std::uint32_t kTimesMax = 100;

  std::uint32_t times = 4;
  Duration within{1'800'000};
  Duration quiet{900'000};
  friend bool operator==(const Flapping&, const Flapping&) = default;
};

enum class NoData {
  kKeep,  // silence is shown (state no_data is not entered), a firing alarm stays firing
  kFire,  // silence is a state of the alarm and is told like a firing
};

// What an alarm that a service level objective made adds to its verdict: "true" is withheld, as too
// few events, while fewer than `bad_min` of them are bad or while the share of bad ones may still
// lie at or below the threshold by chance: the lower bound of Wilson's interval at 95 % (one side).
// (E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.)
// Slices of time are all that there were, no sample of them: of these the least number alone
// counts.
struct Evidence {
  std::uint64_t bad_min = 0;
  bool sample = true;  // events; false = slices
  friend bool operator==(const Evidence&, const Evidence&) = default;
};

struct Alarm {
  std::string name;
  Condition when;
  std::optional<Clear> clear;
  Duration keep_firing{0};  // stays open so long after it was last true; 0 where there is a clear
  Severity severity = Severity::kMedium;
  std::vector<Level> levels;  // each worse than the one before it; the first than `severity`
  std::optional<Flapping> flapping;
  std::string owner;  // a name among Plan::owners
  bool page = true;   // false: a shadow, which is judged, recorded and shown, and never routed
  NoData no_data = NoData::kKeep;
  std::uint64_t min_count =
      20;  // fewer events than this withhold "true" (ratios, quantiles and averages of events)
  std::string summary;
  std::string runbook;
  std::string slo;  // name of the objective that made it, "" = none
  std::optional<Evidence> evidence;
  friend bool operator==(const Alarm&, const Alarm&) = default;
};

// The slices of time that an objective counts: each is good or bad as a whole. (OpenSLO calls it
// budgetingMethod: Timeslices, and `window` timeSliceWindow.)
struct TimeSlices {
  static constexpr Duration kLeast{10'000};
  static constexpr Duration kMost{300'000};  // the shortest window of a burn alarm

  Condition good;      // of tests over `window`, without labels; no hold
  Duration window{0};  // of one slice; an hour is a whole number of them
  friend bool operator==(const TimeSlices&, const TimeSlices&) = default;
};

// `p95(http_request_duration_ms) over 1min < 500ms`: when a slice is good.
std::string CanonicalText(const TimeSlices& slices);

// A service level objective over a rolling time, and the events that it is about. Its alarms are
// among Plan::alarms: multiwindow, multi-burn-rate, as in "The Site Reliability Workbook" (Beyer et
// al., 2018), chapter 5.
struct Slo {
  std::string name;
  double objective = 0;  // 0..1: 0.999
  Duration over{0};      // 30 d
  // The share of bad events, kRatio or kShortfall, in "1"; or of bad slices (burn.h).
  Measure bad;
  std::optional<TimeSlices> slices;  // what is counted in place of events
  std::string owner;
  friend bool operator==(const Slo&, const Slo&) = default;
};

struct Owner {
  std::string name;       // "on-call"
  std::string title;      // "On-call Engineer"
  std::string slack;      // channel, "" = none
  std::string pagerduty;  // name of a routing key in notifier's configuration, "" = none
  friend bool operator==(const Owner&, const Owner&) = default;
};

struct Expect {
  Condition condition;  // hold 0
  Duration within{0};
  friend bool operator==(const Expect&, const Expect&) = default;
};

// `ratio(http_5xx_count, http_request_count) over 1min < 1% within 5min`.
std::string CanonicalText(const Expect& expect);

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
  friend bool operator==(const Remediation&, const Remediation&) = default;
};

struct Plan {
  std::string service;
  int phase = 0;
  int spread = 1;  // over so many partitions its series lie
  std::vector<Owner> owners;
  std::vector<Slo> slos;
  std::vector<Alarm> alarms;  // as written, then those that the objectives made
  std::vector<Remediation> remediations;
  std::vector<std::pair<std::string, Duration>>
      lateness;       // metric -> allowed lateness, where the plan says so
  Duration dedup{0};  // an alarm that fires again within this of its last page waits; 0 = off
  // By severity; never sooner for a lower one.
  std::array<Response, 4> response = {
      DefaultResponse(Severity::kCritical), DefaultResponse(Severity::kHigh),
      DefaultResponse(Severity::kMedium), DefaultResponse(Severity::kLow)};

  std::string foreign_owner;  // of foreign alerts, as the plan says; "" = see OwnerOfForeign

  const Owner* FindOwner(std::string_view name) const;
  const Alarm* FindAlarm(std::string_view name) const;
  const Slo* FindSlo(std::string_view name) const;
  // The first of the most severe; nullptr when nothing pages.
  const Alarm* WorstThatPages() const;
  // Whose the service's foreign alerts are: the plan's word, else the owner of the most severe
  // alarm that pages, else the first owner; "" where the plan has none.
  std::string OwnerOfForeign() const;
  const Response& ResponseTo(Severity severity) const {
    return response[static_cast<std::size_t>(severity)];
  }
  friend bool operator==(const Plan&, const Plan&) = default;
};

}  // namespace liveops::plan
