#include <fmt/format.h>

#include <charconv>

#include "common/base/text.h"
#include "common/plan/burn.h"
#include "common/plan/checks.h"
#include "common/plan/plan_reader.h"

namespace liveops::plan {
namespace {

constexpr Duration kDay = std::chrono::hours(24);
constexpr Duration kMonth = 30 * kDay;
// The slow alarm looks three days back: no further than the objective's own period.
constexpr Duration kLeastPeriod = 3 * kDay;

std::optional<double> NumberOf(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

// "99.9%" or "0.999"; rounded once.
std::optional<double> ObjectiveOf(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  const std::string number(Trim(text));
  if (number.empty() || number.find_first_not_of("0123456789.") != std::string::npos) {
    return std::nullopt;
  }
  const auto value = NumberOf(percent ? number + "e-2" : number);
  return value && *value > 0 && *value < 1 ? value : std::nullopt;
}

// One of two: what this tier may be.
Severity SeverityOf(Fields& fields, std::string_view key, Severity usual, Severity other,
                    ProblemList& problems) {
  const YamlNode* node = fields.Scalar(key);
  if (node == nullptr) return usual;
  for (const Severity severity : {usual, other}) {
    if (node->scalar == SeverityName(severity)) return severity;
  }
  problems.Add(*node,
               fmt::format("{} is \"{}\", expected {} or {}", key, Truncate(node->scalar, 40),
                           SeverityName(usual), SeverityName(other)));
  return usual;
}

}  // namespace

void PlanReader::ReadSlos(const YamlNode* node) {
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::kList) {
    problems_.Add(*node, fmt::format("slos is {}, expected a list", KindName(node->kind)));
    return;
  }
  for (const YamlNode& item : node->items) ReadSlo(item);
}

void PlanReader::ReadSlo(const YamlNode& node) {
  Fields fields(node, "an objective", problems_);
  if (!fields.valid()) return;
  Slo slo;
  slo.name = ReadName(fields, "objective", slo_offsets_);
  if (const YamlNode* name = fields.Get("name"); name != nullptr && !slo.name.empty()) {
    CheckBurnNames(*name);
  }
  slo.over = fields.Time("over", kLeastPeriod, kMonth).value_or(kMonth);
  const bool objective = ReadObjective(fields, slo);
  const bool share = ReadShare(fields, slo.bad);
  const YamlNode* owner = fields.Scalar("owner", true);
  if (owner != nullptr) slo.owner = owner->scalar;
  const bool known_owner = owner != nullptr && ReadOwnerName(*owner) != nullptr;
  const Severity page = SeverityOf(fields, "page", Severity::kCritical, Severity::kHigh, problems_);
  const Severity ticket =
      SeverityOf(fields, "ticket", Severity::kMedium, Severity::kLow, problems_);
  const auto bad_min =
      static_cast<std::uint64_t>(fields.Whole("min_bad", 1, 1'000'000'000).value_or(10));
  const std::string runbook = fields.Text("runbook");
  fields.Refuse({{"windows", "windows of its own; they are the same for each objective"},
                 {"burn", "burn rates of its own; they follow from over"},
                 {"by", "an objective for each value of a label; filter the series instead"},
                 {"calendar", "calendar months; an objective looks back over a rolling time"}});
  fields.Finish();
  if (!objective || !share || slo.name.empty()) return;
  BurnAlarms alarms = MakeBurnAlarms(slo);
  alarms.fast.severity = page;
  alarms.slow.severity = ticket;
  alarms.budget.runbook = runbook;
  plan_.alarms.push_back(std::move(alarms.budget));
  for (Alarm* alarm : {&alarms.fast, &alarms.slow}) {
    alarm->evidence = Evidence{bad_min};
    alarm->runbook = runbook;
    if (known_owner) CheckRouting(*alarm, *owner);
    plan_.alarms.push_back(std::move(*alarm));
  }
  plan_.slos.push_back(std::move(slo));
}

// The names of the alarms that the objective makes belong to it, whatever else is wrong with it.
void PlanReader::CheckBurnNames(const YamlNode& name) {
  for (const char* suffix : {kFastBurn, kSlowBurn, kBudget}) {
    const std::string alarm = name.scalar + suffix;
    if (const std::string fault = NameFault(alarm);
        !fault.empty() && NameFault(name.scalar).empty()) {
      problems_.Add(name, fmt::format("the objective makes the alarm \"{}\": {}",
                                      Truncate(alarm, 60), fault));
      return;
    }
    const auto [first, fresh] = alarm_offsets_.emplace(alarm, name.offset);
    // Two objectives of one name were told already.
    if (!fresh && slo_offsets_.at(name.scalar) == name.offset) {
      problems_.Add(name,
                    fmt::format("the objective makes the alarm \"{}\", which line {} defines too",
                                alarm, problems_.LineOf(first->second)));
    }
  }
}

bool PlanReader::ReadObjective(Fields& fields, Slo& slo) {
  const YamlNode* node = fields.Scalar("objective", true);
  if (node == nullptr) return false;
  const auto objective = ObjectiveOf(node->scalar);
  if (!objective) {
    const bool bare = ObjectiveOf(node->scalar + "%").has_value();
    problems_.Add(*node, fmt::format("objective is \"{}\", expected a share between 0 and 1, such "
                                     "as 99.9% or 0.999{}",
                                     Truncate(node->scalar, 40),
                                     bare ? fmt::format("; did you mean {}%?", node->scalar) : ""));
    return false;
  }
  slo.objective = *objective;
  const std::string fault = BurnFault(slo);
  if (!fault.empty()) problems_.Add(*node, fault);
  return fault.empty();
}

// `bad` and `total`, or `good` and `total`.
bool PlanReader::ReadShare(Fields& fields, Measure& share) {
  const YamlNode* good = fields.Scalar("good");
  const YamlNode* bad = fields.Scalar("bad");
  const YamlNode* total = fields.Scalar("total", true);
  share.operands.resize(2);
  const bool whole = total != nullptr && ReadEvents(*total, share.operands[1]);
  share.unit = std::string("1");
  bool part = false;
  if (good != nullptr && bad != nullptr) {
    problems_.Add(*bad, "\"bad\" stands beside \"good\"; one of them says what the other is");
  } else if (bad != nullptr) {
    share.form = Measure::Form::kRatio;
    part = ReadEvents(*bad, share.operands[0]);
  } else if (good != nullptr) {
    part = ReadGood(*good, whole ? &share.operands[1] : nullptr, share);
  } else if (fields.node().Find("good") == nullptr && fields.node().Find("bad") == nullptr) {
    problems_.Add(fields.node(),
                  "expected good or bad: the series of the events that count as such");
  } else {
    fields.Require(fields.node().Find("good") != nullptr ? "good" : "bad");
  }
  for (Operand& operand : share.operands) operand.aggregate = Aggregate::kIncrease;
  return whole && part;
}

bool PlanReader::ReadEvents(const YamlNode& node, Operand& series) {
  auto parsed = ParseSeries(node.scalar, &bindings_);
  if (parsed.value && parsed.value->service.empty()) {
    series = std::move(*parsed.value);
    return true;
  }
  if (parsed.value) {
    problems_.AddInside(node, 0, ForeignEventsFault(*parsed.value));
  } else if (!parsed.error.message.empty()) {
    problems_.AddInside(node, parsed.error.offset, parsed.error.message);
  }
  return false;
}

// `total` is what the key says, where it could be read.
bool PlanReader::ReadGood(const YamlNode& node, const Operand* total, Measure& share) {
  auto parsed = ParseGoodEvents(node.scalar, &bindings_);
  if (!parsed.value) {
    if (!parsed.error.message.empty()) {
      problems_.AddInside(node, parsed.error.offset, parsed.error.message);
    }
    return false;
  }
  GoodEvents& good = *parsed.value;
  if (!good.without) {
    share.form = Measure::Form::kShortfall;
    share.operands[0] = std::move(good.series);
    return true;
  }
  const bool same = total == nullptr ||
                    (good.series.metric == total->metric && good.series.matches == total->matches);
  if (!same) {
    problems_.AddInside(node, good.series_offset,
                        fmt::format("found {}, expected the same series as in total, {}: the good "
                                    "events are all but the bad ones",
                                    good.series.metric, total->metric));
    return false;
  }
  share.form = Measure::Form::kRatio;
  share.operands[0] = std::move(*good.without);
  return true;
}

}  // namespace liveops::plan
