#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/base/text.h"
#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

std::string TimeOfDay(Instant t) { return FormatUtc(ToMs(t)).substr(11, 8); }

std::string NameOf(const plan::Measure& measure) {
  const std::string& metric = measure.value.metric;
  if (measure.denominator) {
    return fmt::format("ratio of {} to {}", metric, measure.denominator->metric);
  }
  switch (measure.value.aggregate) {
    case plan::Aggregate::kLast:
      return metric;
    case plan::Aggregate::kAvg:
      return "average of " + metric;
    case plan::Aggregate::kMin:
      return "least " + metric;
    case plan::Aggregate::kMax:
      return "greatest " + metric;
    case plan::Aggregate::kSum:
      return "sum of " + metric;
    case plan::Aggregate::kCount:
      return "count of " + metric;
    case plan::Aggregate::kIncrease:
      return "increase of " + metric;
    case plan::Aggregate::kRate:
      return "rate of " + metric;
    case plan::Aggregate::kQuantile:
      return fmt::format("p{} of {}", FormatNumber(measure.value.quantile * 100), metric);
  }
  return metric;
}

const char* Beyond(plan::Comparison op) {
  switch (op) {
    case plan::Comparison::kGreater:
      return "above";
    case plan::Comparison::kGreaterEqual:
      return "at or above";
    case plan::Comparison::kLess:
      return "below";
    case plan::Comparison::kLessEqual:
      return "at or below";
  }
  return "beyond";
}

// What is known, of an alarm that is not true now.
std::string Reason(const Rule& rule, const Judgement& last) {
  const plan::Condition& when = rule.spec.when;
  const plan::Measure& measure = when.measure;
  const std::string& metric = rule.operand(rule.primary()).metric;
  switch (last.why) {
    case Why::kNever:
      return "not judged yet";
    case Why::kJudged:
      return fmt::format("{} is {}, {}{} {}", NameOf(measure),
                         FormatValue(last.value, measure.unit),
                         last.verdict == Verdict::kTrue ? "" : "not ", Beyond(when.op),
                         FormatValue(when.threshold, measure.unit));
    case Why::kTooFew:
      return fmt::format("too few events ({} of {})", FormatNumber(std::round(last.points)),
                         FormatNumber(rule.spec.min_count));
    case Why::kNoPoints:
      return fmt::format("no series of {} at present", metric);
    case Why::kNoEvents:
      return fmt::format("{} counted nothing in the window", metric);
    case Why::kNotCovered:
      return "the window reaches back before what is known; it proves nothing yet";
    case Why::kQuiet:
      return fmt::format("points of {} are missing, and their silence proves nothing yet", metric);
    case Why::kSilent:
      return fmt::format("no point of {} since {}", metric,
                         TimeOfDay(last.at - Duration(rule.window_ms())));
  }
  return "";
}

std::string Explain(const Rule& rule, const Group& group, AlarmState state) {
  const plan::Condition& when = rule.spec.when;
  const std::string& unit = when.measure.unit;
  const std::string crossed = fmt::format(
      "{} is {}, {} {} since {}", NameOf(when.measure), FormatValue(group.last.value, unit),
      Beyond(when.op), FormatValue(when.threshold, unit), TimeOfDay(group.life.since));
  switch (state) {
    case AlarmState::kBlind:
      return fmt::format("no point of {} seen since the plan came into force",
                         rule.operand(rule.primary()).metric);
    case AlarmState::kPending:
      return fmt::format("{}; fires at {} if it stays", crossed,
                         TimeOfDay(group.life.since + when.hold));
    case AlarmState::kFiring: {
      if (group.last.verdict == Verdict::kTrue) return crossed;
      std::string out = fmt::format("firing since {}: {}", TimeOfDay(group.life.state_since),
                                    Reason(rule, group.last));
      if (rule.spec.clear && group.last.verdict == Verdict::kFalse) {
        out += fmt::format("; clears {} {} for {}", Beyond(rule.spec.clear->op),
                           FormatValue(rule.spec.clear->threshold, unit),
                           FormatDuration(rule.spec.clear->hold));
      }
      return out;
    }
    case AlarmState::kNoData:
      return fmt::format("no data: {}", Reason(rule, group.last));
    default:
      return Reason(rule, group.last);
  }
}

AlarmView Common(const State& s, const Rule& rule, const Labels& labels) {
  const Service& service = *s.services[rule.service];
  AlarmView v;
  v.alarm_id = AlarmId(service.name, rule.spec.name, labels);
  v.service = service.name;
  v.name = rule.spec.name;
  v.purpose = rule.spec.purpose;
  v.severity = rule.spec.severity;
  v.owner = rule.spec.owner;
  v.expression = rule.spec.expression;
  v.threshold = rule.spec.when.threshold;
  v.comparison = rule.spec.when.op;
  v.unit = rule.spec.when.measure.unit;
  v.hold = rule.spec.when.hold;
  v.window = rule.spec.when.window;
  v.watermark = InstantFromMs(s.clock.started() ? rule.judged_ms() : 0);
  v.clock = s.now();
  v.plan_version = service.version;
  return v;
}

}  // namespace

AlarmView ViewOf(const State& s, const Rule& rule, const Group& group) {
  AlarmView v = Common(s, rule, group.labels);
  v.state = group.life.state;
  if (!rule.seen && v.state == AlarmState::kOk) v.state = AlarmState::kBlind;
  v.value = group.last.value;
  v.since = v.state == AlarmState::kPending ? group.life.since : group.life.state_since;
  if (group.life.open()) v.episode = group.life.episode;
  v.points = group.last.points > 0
                 ? static_cast<std::uint64_t>(std::llround(std::min(group.last.points, 1e18)))
                 : 0;
  v.explanation = Explain(rule, group, v.state);
  return v;
}

AlarmView PlaceholderOf(const State& s, const Rule& rule) {
  AlarmView v = Common(s, rule, {});
  v.state = rule.seen ? AlarmState::kOk : AlarmState::kBlind;
  v.since = InstantFromMs(rule.born_ms);
  v.explanation =
      rule.seen ? fmt::format("no series of {} at present", rule.operand(rule.primary()).metric)
                : fmt::format("no point of {} seen since the plan came into force",
                              rule.operand(rule.primary()).metric);
  return v;
}

}  // namespace liveops::engine
