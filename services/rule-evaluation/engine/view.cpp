#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "common/base/text.h"
#include "common/plan/burn.h"
#include "services/rule-evaluation/engine/slices.h"
#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
std::string TimeOfDay(Instant t) { return FormatUtc(ToMs(t)).substr(11, 8); }

namespace {

std::string NameOf(const plan::Measure& measure) {
  const std::string& metric = measure.value().metric;
  if (plan::IsSliceCount(metric)) return "share of bad slices";
  switch (measure.form) {
    case plan::Measure::Form::kRatio:
      return fmt::format("ratio of {} to {}", metric, measure.operands[1].metric);
    case plan::Measure::Form::kShortfall:
      return fmt::format("shortfall of {} from {}", metric, measure.operands[1].metric);
    case plan::Measure::Form::kFormula:
      return plan::CanonicalText(measure);
    case plan::Measure::Form::kReporters:
      return metric.empty()
                 ? fmt::format("count of reporting {}", measure.value().label)
                 : fmt::format("count of {} reporting {}", measure.value().label, metric);
    case plan::Measure::Form::kPlain:
      break;
  }
  switch (measure.value().aggregate) {
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
    case plan::Aggregate::kDistinct:
      return fmt::format("count of distinct {} in {}", measure.value().label, metric);
    case plan::Aggregate::kStddev:
      return "standard deviation of " + metric;
    case plan::Aggregate::kQuantile:
      return fmt::format("p{} of {}", FormatNumber(measure.value().quantile * 100), metric);
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

// The metric without which the test has no value.
std::string MetricOf(const plan::Test& test) {
  const plan::Operand& operand = test.measure.operands[test.measure.IsRatio() ? 1 : 0];
  return operand.metric.empty() ? "series with the label " + operand.label : operand.metric;
}

// With its window, where several tests may look at one thing.
std::string Named(const Rule& rule, const plan::Test& test) {
  return rule.tests() == 1 ? NameOf(test.measure)
                           : NameOf(test.measure) + " over " + FormatDuration(test.window);
}

// "p95 of x is 612 ms, above 500 ms", or
// "p95 of x is 204 % of 1d ago (now 612 ms, 1d ago 300 ms), above 150 %"
std::string Stands(const Rule& rule, const plan::Test& test, double value, const Compared& compared,
                   bool crossed) {
  const std::string unit = plan::ThresholdUnit(test);
  std::string out = fmt::format("{} is {}", Named(rule, test), FormatValue(value, unit));
  if (test.IsCompared()) out += fmt::format(" of {} ago", FormatDuration(test.ago));
  const std::string values = ComparedText(test, compared);
  if (!values.empty()) out += fmt::format(" ({})", values);
  return fmt::format("{}, {}{} {}", out, crossed ? "" : "not ", Beyond(test.op),
                     FormatValue(test.threshold, unit));
}

struct Found {
  Verdict verdict = Verdict::kUnknown;
  Why why = Why::kNever;
  double value = 0;
  double points = 0;
  Compared compared;
  std::optional<Instant> heard;  // kSilent: when a point last came, if that is known
};

// Of those without which the group has no value; nothing where what they said is forgotten.
std::optional<Instant> LastHeard(const Rule& rule, const Group& group, std::size_t test) {
  const std::uint8_t primary = rule.test(test).measure.IsRatio() ? 1 : 0;
  std::int64_t ms = Member::kSpokeOnceMs;
  group.ForEachMember([&](const Cells& cells, const Member& m) {
    if (cells.test == test && m.operand == primary) ms = std::max(ms, m.newest.ms);
  });
  return ms > Member::kSpokeOnceMs ? std::optional(InstantFromMs(ms)) : std::nullopt;
}

// With the day, where it is not the last one before `now`.
std::string TimeBefore(Instant t, Instant now) {
  return now - t < std::chrono::hours(24) ? TimeOfDay(t) : FormatUtc(ToMs(t)).substr(0, 19);
}

// What is known of one test.
std::string Reason(const Rule& rule, std::size_t i, const Found& found) {
  const plan::Test& test = rule.test(i);
  const std::string metric = MetricOf(test);
  switch (found.why) {
    case Why::kNever:
      return "not judged yet";
    case Why::kJudged:
      return Stands(rule, test, found.value, found.compared, found.verdict == Verdict::kTrue);
    case Why::kOutside:
    case Why::kNoRank:
      return fmt::format("{}, but {} among the {} greatest",
                         Stands(rule, test, found.value, found.compared,
                                plan::Holds(found.value, test.op, test.threshold)),
                         found.why == Why::kOutside ? "not" : "not known to be", test.top);
    case Why::kTooFew:
      return rule.spec.evidence
                 ? fmt::format("{} is {} of {} {}, too few to prove it", Named(rule, test),
                               FormatValue(found.value, plan::ThresholdUnit(test)),
                               FormatNumber(std::round(found.points)),
                               rule.spec.of_slices ? "slices" : "events")
                 : fmt::format("too few events to judge by: {}, min_count is {}",
                               FormatNumber(std::round(found.points)),
                               FormatNumber(rule.spec.min_count));
    case Why::kNoPoints:
      return fmt::format("no series of {} at present", metric);
    case Why::kNoEvents:
      return fmt::format("{} counted nothing in the window", metric);
    case Why::kNotCovered:
      return "the window reaches back before what is known; it proves nothing yet";
    case Why::kQuiet:
      return fmt::format("points of {} are missing, and their silence proves nothing yet", metric);
    case Why::kNoThen:
      return std::isnan(found.compared.then)
                 ? fmt::format("{} is {} now; nothing is known of it {} ago", Named(rule, test),
                               FormatValue(found.compared.now, test.measure.unit),
                               FormatDuration(test.ago))
                 : fmt::format("{} cannot be compared: {}", Named(rule, test),
                               ComparedText(test, found.compared));
    case Why::kSilent:
      return found.heard ? fmt::format("no point of {} since {}", metric,
                                       TimeBefore(*found.heard, InstantFromMs(rule.judged_ms())))
                         : fmt::format("no point of {} in the last {}", metric,
                                       FormatDuration(Duration(rule.window_ms(i))));
  }
  return "";
}

// How many of a quorum's slots were true.
std::string SlotsText(const Rule& rule, const Group& group) {
  const plan::Quorum& quorum = rule.spec.when.quorum;
  const auto trues = std::count_if(group.slots.begin(), group.slots.end(),
                                   [](const auto& slot) { return slot.second == Verdict::kTrue; });
  return fmt::format("{} of the last {} {} true, {} needed", trues, quorum.of,
                     quorum.slot == std::chrono::hours(1) ? "hours" : "minutes", quorum.needed);
}

}  // namespace

std::string Reasons(const Rule& rule, const Group& group) {
  const Judgement& last = group.last;
  std::string out;
  if (group.results.size() < 2 || last.why == Why::kSilent) {
    out = Reason(rule, last.test,
                 {last.verdict, last.why, last.value, last.points, last.compared,
                  LastHeard(rule, group, last.test)});
    // A quorum's verdict is not that of its last slot.
    if (rule.spec.when.quorum.needed > 0 && last.why == Why::kJudged) {
      const plan::Test& test = rule.test(last.test);
      out = Stands(rule, test, last.value, last.compared,
                   plan::Holds(last.value, test.op, test.threshold));
    }
  } else {
    for (std::size_t i = 0; i < group.results.size(); ++i) {
      const TestResult& r = group.results[i];
      out += (i == 0 ? "" : "; ") +
             Reason(rule, i,
                    {r.verdict, r.why, r.value, r.points, r.compared, LastHeard(rule, group, i)});
    }
  }
  if (rule.spec.when.quorum.needed > 0) out += "; " + SlotsText(rule, group);
  return out;
}

namespace {

// Of the worse severities that are reached or on their way, and of what else keeps it open.
std::string Further(const Rule& rule, const Group& group) {
  std::string out;
  for (std::size_t i = 0; i < group.levels.size(); ++i) {
    const plan::Level& level = rule.spec.levels[i];
    const Life& life = group.levels[i];
    const std::string limit =
        fmt::format("{} {}", Beyond(level.op),
                    FormatValue(level.threshold, plan::ThresholdUnit(rule.spec.when)));
    if (life.open()) {
      out += fmt::format("; {} ({}) since {}", plan::SeverityName(level.severity), limit,
                         TimeOfDay(life.since));
    } else if (life.state == AlarmState::kPending) {
      out += fmt::format("; {} at {} if it stays {}", plan::SeverityName(level.severity),
                         TimeOfDay(life.since + level.hold), limit);
    }
  }
  if (!group.life.open()) return out;
  if (group.life.damped && rule.spec.flapping) {
    out += fmt::format("; it flaps (opened {} times): over when it has been clear for {}",
                       group.life.swings, FormatDuration(rule.spec.flapping->quiet));
  } else if (rule.spec.keep_firing > Duration(0)) {
    out += fmt::format("; over when it has not been true for {}",
                       FormatDuration(rule.spec.keep_firing));
  }
  return out;
}

// Whose silence is proven, of tests that count who reports.
std::string Silent(const State& s, const Rule& rule, const Group& group) {
  constexpr std::size_t kNamedMax = 5;
  std::string out;
  for (std::size_t i = 0; i < rule.tests(); ++i) {
    const Cells* cells = rule.CellsOf(group, i);
    if (cells == nullptr || cells->roll.empty()) continue;
    const std::string& label = rule.test(i).measure.value().label;
    const std::vector<Missing> missing = MissingOf(s, rule, *cells, rule.judged_ms());
    for (std::size_t k = 0; k < missing.size() && k < kNamedMax; ++k) {
      out += fmt::format("{} {}={} since {}", k == 0 ? "; silent:" : ",", label, missing[k].value,
                         TimeOfDay(InstantFromMs(missing[k].last_ms)));
    }
    if (missing.size() > kNamedMax) out += fmt::format(" and {} more", missing.size() - kNamedMax);
  }
  return out;
}

std::string Explain(const Rule& rule, const Group& group, AlarmState state) {
  const plan::Condition& when = rule.spec.when;
  const plan::Test& shown = rule.test(group.last.test);
  const Instant now = InstantFromMs(rule.judged_ms());
  const std::string crossed =
      fmt::format("{} since {}", Stands(rule, shown, group.last.value, group.last.compared, true),
                  TimeBefore(group.life.since, now));
  switch (state) {
    case AlarmState::kBlind:
      return fmt::format("no point of {} seen since the plan came into force", MetricOf(when));
    case AlarmState::kPending:
      return fmt::format("{}; fires at {} if it stays", crossed,
                         TimeOfDay(group.life.since + when.hold));
    case AlarmState::kFiring: {
      if (group.last.verdict == Verdict::kTrue && when.quorum.needed == 0) return crossed;
      std::string out = fmt::format("firing since {}: {}", TimeBefore(group.life.state_since, now),
                                    Reasons(rule, group));
      if (rule.spec.clear && group.last.verdict == Verdict::kFalse) {
        out += fmt::format("; clears {} {} for {}", Beyond(rule.spec.clear->op),
                           FormatValue(rule.spec.clear->threshold, plan::ThresholdUnit(shown)),
                           FormatDuration(rule.spec.clear->hold));
      }
      return out;
    }
    case AlarmState::kNoData:
      return fmt::format("{}: {}",
                         group.last.why == Why::kSilent ? "no data" : "had no data, and stays open",
                         Reasons(rule, group));
    default:
      return Reasons(rule, group);
  }
}

// Every batch names the series that it brings: what was refused lately is refused still.
std::string Untracked(const State& s, const Rule& rule) {
  constexpr std::int64_t kLatelyMs = 600'000;
  if (s.now_ms() - s.services[rule.service]->series_refused_ms >= s.Scaled(kLatelyMs)) return "";
  return fmt::format(
      "; {} series are as many as a shard may have, and others of {} are not watched",
      s.limits.series_max, s.services[rule.service]->name);
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
  v.unit = plan::ThresholdUnit(rule.spec.when);
  v.hold = rule.spec.when.hold;
  v.window = rule.spec.when.window;
  v.watermark = InstantFromMs(s.clock.started() ? rule.judged_ms() : 0);
  v.clock = s.now();
  v.plan_version = service.version;
  return v;
}

}  // namespace

std::string ComparedText(const plan::Test& test, const Compared& compared) {
  if (!test.IsCompared() || std::isnan(compared.now)) return "";
  const std::string& unit = test.measure.unit;
  const std::string now = "now " + FormatValue(compared.now, unit);
  if (std::isnan(compared.then)) return now;
  return fmt::format("{}, {} ago {}", now, FormatDuration(test.ago),
                     FormatValue(compared.then, unit));
}

AlarmView ViewOf(const State& s, const Rule& rule, const Group& group) {
  AlarmView v = Common(s, rule, group.labels);
  v.state = group.life.state;
  if (!rule.seen && v.state == AlarmState::kOk) v.state = AlarmState::kBlind;
  const plan::Test& shown = rule.test(group.last.test);
  v.threshold = shown.threshold;
  v.comparison = shown.op;
  v.unit = plan::ThresholdUnit(shown);
  v.window = shown.window;
  v.value = group.last.value;
  v.since = v.state == AlarmState::kPending ? group.life.since : group.life.state_since;
  if (group.life.open()) v.episode = group.life.episode;
  v.points = group.last.points > 0
                 ? static_cast<std::uint64_t>(std::llround(std::min(group.last.points, 1e18)))
                 : 0;
  v.explanation = MissedText(s, rule) + Explain(rule, group, v.state) + Silent(s, rule, group) +
                  Further(rule, group) + Untracked(s, rule);
  v.explanation += SliceText(s, rule);
  v.budget = BudgetOf(s, rule);
  if (v.budget) v.explanation += "; " + BudgetText(*v.budget);
  if (!group.life.open()) return v;
  v.severity = rule.spec.SeverityAt(group.level);
  if (group.life.damped) v.swings = group.life.swings;
  if (group.level > 0) {
    const plan::Level& level = rule.spec.levels[group.level - 1];
    v.threshold = level.threshold;
    v.comparison = level.op;
    v.hold = level.hold;
  }
  return v;
}

AlarmView PlaceholderOf(const State& s, const Rule& rule) {
  AlarmView v = Common(s, rule, {});
  if (Overflows(rule)) {
    const Life& life = rule.overflow->alarm.life;
    const std::size_t more = rule.overflow->refused.size();
    v.state = life.state;
    v.since = life.state_since;
    v.episode = life.episode;
    const std::size_t watched = Watched(s, rule);
    v.value = static_cast<double>(watched + more);
    v.threshold = static_cast<double>(watched);
    v.comparison = plan::Comparison::kGreater;
    v.unit = RoomWord(rule.spec.room);
    v.hold = Duration(0);
    const char* text = "{} alarms are as many as it may have, and {} more groups are not watched";
    if (rule.spec.room == Room::kSeries) {
      text = "{} series are as many as a shard may have, and {} more are not watched";
    } else if (rule.spec.room == Room::kForeign) {
      text = "{} foreign alerts are as many as a service may have, and {} more are not taken";
    }
    v.explanation = fmt::format(fmt::runtime(text), watched, more);
    return v;
  }
  const std::string metric = MetricOf(rule.spec.when);
  v.state = rule.seen ? AlarmState::kOk : AlarmState::kBlind;
  v.since = InstantFromMs(rule.born_ms);
  v.explanation = rule.seen
                      ? fmt::format("no series of {} at present", metric)
                      : fmt::format("no point of {} seen since the plan came into force", metric);
  v.explanation = MissedText(s, rule) + v.explanation + Untracked(s, rule);
  return v;
}

}  // namespace liveops::engine
