// What a plan says of the life of an alarm: how bad it is, whom it concerns, when it is over.
#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "common/plan/hints.h"
#include "common/plan/plan_reader.h"

namespace liveops::plan {
namespace {

constexpr Duration kWeek = std::chrono::hours(24 * 7);

std::optional<Severity> ReadSeverity(const YamlNode& node, ProblemList& problems) {
  std::string word = node.scalar;
  for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  std::vector<std::string> known;
  for (const Severity s : kSeverities) {
    if (word == SeverityName(s)) return s;
    known.emplace_back(SeverityName(s));
  }
  problems.Add(node, fmt::format("unknown severity \"{}\"{}", Truncate(node.scalar, 40),
                                 Suggestion(node.scalar, known)));
  return std::nullopt;
}

// Is `a` further than `b` in the direction of `op`?
bool Beyond(Comparison op, double a, double b) { return IsUpward(op) ? a > b : a < b; }

std::string In(const Condition& condition, double value) {
  const std::string unit = ThresholdUnit(condition);
  return FormatNumber(value) + (unit == "1" ? "" : unit);
}

}  // namespace

// A shadow says whom it would page, so that it pages as soon as the key is removed; one that is
// there to be looked at alone says `page: false`, and need not.
void PlanReader::ReadPurpose(Fields& fields, Alarm& alarm) {
  const bool page = fields.Flag("page").value_or(true);
  const bool shadow = fields.Flag("shadow").value_or(false);
  if (shadow && fields.node().Find("page") != nullptr) {
    problems_.Add(*fields.node().Find("page"),
                  "\"page\" stands beside \"shadow\": a shadow pages nobody; leave one out");
  }
  alarm.page = page && !shadow;
  if (const YamlNode* severity = fields.Scalar("severity", page)) {
    alarm.severity = ReadSeverity(*severity, problems_).value_or(Severity::kMedium);
  } else if (!page) {
    alarm.severity = Severity::kLow;
  }
}

void PlanReader::ReadRecipient(Fields& fields, Alarm& alarm) {
  const bool page = fields.node().Find("page") == nullptr || alarm.page;
  const YamlNode* owner = fields.Scalar("owner", page);
  if (owner == nullptr) return;
  alarm.owner = owner->scalar;
  if (ReadOwnerName(*owner) != nullptr && page) CheckRouting(alarm, *owner);
}

// Critical and high go to PagerDuty and Slack, medium and low to Slack alone.
void PlanReader::CheckRouting(const Alarm& alarm, const YamlNode& node) {
  const Owner* owner = plan_.FindOwner(alarm.owner);
  const bool urgent = alarm.severity == Severity::kCritical || alarm.severity == Severity::kHigh;
  if (!owner->slack.empty() || (urgent && !owner->pagerduty.empty()) || owner->pagerduty.empty())
    return;
  problems_.Add(node, fmt::format("a {} alarm goes to Slack, and owner \"{}\" has no slack channel",
                                  SeverityName(alarm.severity), owner->name));
}

// Of alerts that others judge: they may be of any severity.
void PlanReader::ReadForeign(const YamlNode* node) {
  if (node == nullptr) return;
  Fields fields(*node, "foreign_alerts", problems_);
  if (!fields.valid()) return;
  if (const YamlNode* owner = fields.Scalar("owner", true)) {
    plan_.foreign_owner = owner->scalar;
    const Owner* found = ReadOwnerName(*owner);
    if (found != nullptr && found->slack.empty()) {
      problems_.Add(*owner, fmt::format("a medium or low alert goes to Slack, and owner \"{}\" has "
                                        "no slack channel",
                                        found->name));
    }
  }
  fields.Finish();
}

void PlanReader::ReadClear(Fields& fields, const Condition* condition, Alarm& alarm) {
  const YamlNode* clear = fields.Scalar("clear");
  if (clear != nullptr && condition != nullptr) {
    auto parsed = ParseClear(clear->scalar, *condition);
    if (!parsed.value) problems_.AddInside(*clear, parsed.error.offset, parsed.error.message);
    alarm.clear = parsed.value;
  }
  const YamlNode* keep = fields.Get("keep_firing");
  alarm.keep_firing = fields.Time("keep_firing", Duration(1000), kWeek).value_or(Duration(0));
  if (keep != nullptr && clear != nullptr) {
    problems_.Add(*keep, fmt::format("\"keep_firing\" stands beside \"clear\", which says itself "
                                     "for how long: clear: \"{} for {}\"",
                                     Truncate(clear->scalar, 40), Truncate(keep->scalar, 20)));
  }
}

void PlanReader::ReadLevels(Fields& fields, const Condition* condition, Alarm& alarm) {
  const YamlNode* node = fields.Get("levels");
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::kList) {
    problems_.Add(*node, fmt::format("levels is {}, expected a list such as "
                                     "[{{severity: critical, when: \"> 500ms\"}}]",
                                     KindName(node->kind)));
    return;
  }
  if (condition == nullptr) return;
  for (const YamlNode& item : node->items) {
    Level level;
    const Level* below = alarm.levels.empty() ? nullptr : &alarm.levels.back();
    if (!ReadLevel(item, *condition, alarm, below, level)) return;  // the next hangs on it
    alarm.levels.push_back(level);
  }
}

bool PlanReader::ReadLevel(const YamlNode& node, const Condition& condition, const Alarm& alarm,
                           const Level* below, Level& level) {
  Fields fields(node, "a level", problems_);
  if (!fields.valid()) return false;
  const YamlNode* severity = fields.Scalar("severity", true);
  const YamlNode* when = fields.Scalar("when", true);
  const YamlNode* clear = fields.Scalar("clear");
  fields.Finish();
  if (severity == nullptr || when == nullptr) return false;
  const auto worse = ReadSeverity(*severity, problems_);
  if (!worse) return false;
  const Severity last = below != nullptr ? below->severity : alarm.severity;
  if (*worse >= last) {
    problems_.Add(*severity,
                  fmt::format("{} is not worse than {}: levels go from the alarm's own severity up",
                              SeverityName(*worse), SeverityName(last)));
    return false;
  }
  auto parsed = ParseLevel(when->scalar, condition);
  if (!parsed.value) {
    problems_.AddInside(*when, parsed.error.offset, parsed.error.message);
    return false;
  }
  level = *parsed.value;
  level.severity = *worse;
  const double limit = below != nullptr ? below->threshold : condition.threshold;
  if (!Beyond(condition.op, level.threshold, limit)) {
    problems_.Add(
        *when, fmt::format("{} goes off at {}, which {} does too: expected {} than {}",
                           SeverityName(*worse), In(condition, level.threshold), SeverityName(last),
                           IsUpward(condition.op) ? "more" : "less", In(condition, limit)));
    return false;
  }
  if (clear == nullptr) return true;
  Condition own = condition;  // which the level's clear belongs to
  own.op = level.op;
  own.threshold = level.threshold;
  auto eased = ParseClear(clear->scalar, own);
  if (!eased.value) {
    problems_.AddInside(*clear, eased.error.offset, eased.error.message);
    return false;
  }
  level.clear = *eased.value;
  const double end = alarm.clear ? alarm.clear->threshold : condition.threshold;
  if (!Beyond(condition.op, end, level.clear->threshold)) return true;
  problems_.Add(*clear,
                fmt::format("the alarm itself is over at {}: expected {} or {}", In(condition, end),
                            In(condition, end), IsUpward(condition.op) ? "more" : "less"));
  return false;
}

void PlanReader::ReadFlapping(Fields& fields, Alarm& alarm) {
  const YamlNode* node = fields.Get("flapping");
  if (node == nullptr) return;
  if (node->kind == YamlNode::Kind::kScalar) {
    if (fields.Flag("flapping").value_or(false)) alarm.flapping.emplace();
    return;
  }
  Fields own(*node, "flapping", problems_);
  if (!own.valid()) return;
  Flapping& flapping = alarm.flapping.emplace();
  flapping.times = static_cast<std::uint32_t>(
      own.Whole("times", 1, Flapping::kTimesMax).value_or(flapping.times));
  flapping.within = own.Time("within", std::chrono::minutes(1), kWeek).value_or(flapping.within);
  flapping.quiet = own.Time("quiet", Duration(1000), kWeek).value_or(flapping.quiet);
  own.Finish();
}

void PlanReader::ReadNoData(Fields& fields, Alarm& alarm) {
  const YamlNode* no_data = fields.Scalar("no_data");
  if (no_data == nullptr) return;
  const std::vector<std::string> known = {"keep", "fire"};
  alarm.no_data = no_data->scalar == "fire" ? NoData::kFire : NoData::kKeep;
  if (std::find(known.begin(), known.end(), no_data->scalar) != known.end()) return;
  problems_.Add(
      *no_data,
      fmt::format("no_data is \"{}\", expected keep or fire{}", Truncate(no_data->scalar, 40),
                  no_data->scalar == "resolve" ? "; silence never resolves an alarm" : ""));
}

std::optional<Condition> PlanReader::ReadWhen(Fields& fields) {
  const YamlNode* node = fields.Scalar("when", true);
  if (node == nullptr) return std::nullopt;
  auto parsed = ParseExpression(node->scalar, &bindings_);
  if (!parsed.value && !parsed.error.message.empty()) {
    problems_.AddInside(*node, parsed.error.offset, parsed.error.message);
  }
  if (fresh_ && parsed.value) {
    if (const std::string fault = ShareFault(*parsed.value); !fault.empty())
      problems_.Add(*node, fault);
  }
  return std::move(parsed.value);
}

std::optional<Condition> PlanReader::ReadCondition(Fields& fields) {
  const YamlNode* expect = fields.Scalar("expect");
  if (expect == nullptr) return ReadWhen(fields);
  if (const YamlNode* when = fields.Scalar("when")) {
    problems_.Add(*when, "\"when\" stands beside \"expect\": leave one out");
    return std::nullopt;
  }
  auto parsed = ParseExpectation(expect->scalar, &bindings_);
  if (!parsed.value && !parsed.error.message.empty()) {
    problems_.AddInside(*expect, parsed.error.offset, parsed.error.message);
  }
  return std::move(parsed.value);
}

}  // namespace liveops::plan
