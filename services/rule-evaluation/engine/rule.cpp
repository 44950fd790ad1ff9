#include "services/rule-evaluation/engine/rule.h"

#include <algorithm>

namespace liveops::engine {

using plan::Aggregate;

Cell CellFor(Aggregate aggregate, SeriesKind kind) {
  const bool counter = kind == SeriesKind::kCounterDelta || kind == SeriesKind::kCounterCumulative;
  const bool gauge = kind == SeriesKind::kGauge;
  const bool observation = kind == SeriesKind::kObservation;
  switch (aggregate) {
    case Aggregate::kLast:
      return counter || gauge || observation ? Cell::kGauge : Cell::kNone;
    case Aggregate::kAvg:
    case Aggregate::kMin:
    case Aggregate::kMax:
      return counter || gauge ? Cell::kGauge : Cell::kDistribution;
    case Aggregate::kSum:
    case Aggregate::kCount:
      return gauge ? Cell::kGauge : Cell::kCounter;
    case Aggregate::kIncrease:
    case Aggregate::kRate:
      return gauge ? Cell::kNone : Cell::kCounter;
    case Aggregate::kQuantile:
      return counter ? Cell::kNone : Cell::kDistribution;
  }
  return Cell::kNone;
}

namespace {

void FillLateness(const plan::Plan& plan, RuleSpec& spec) {
  const auto of = [&](const plan::Operand& operand) -> std::optional<Duration> {
    for (const auto& [metric, lateness] : plan.lateness) {
      if (metric == operand.metric) return lateness;
    }
    return std::nullopt;
  };
  spec.lateness[0] = of(spec.when.measure.value);
  if (spec.when.measure.denominator) spec.lateness[1] = of(*spec.when.measure.denominator);
}

}  // namespace

std::vector<RuleSpec> SpecsOf(const plan::Plan& plan) {
  std::vector<RuleSpec> specs;
  for (const plan::Alarm& alarm : plan.alarms) {
    RuleSpec& spec = specs.emplace_back();
    spec.name = alarm.name;
    spec.purpose = alarm.page ? Purpose::kPage : Purpose::kRecord;
    spec.when = alarm.when;
    spec.clear = alarm.clear;
    spec.severity = alarm.severity;
    spec.owner = alarm.owner;
    spec.no_data = alarm.no_data;
    spec.min_count = static_cast<double>(alarm.min_count);
    spec.summary = alarm.summary;
    spec.runbook = alarm.runbook;
  }
  for (const plan::Remediation& remediation : plan.remediations) {
    RuleSpec& spec = specs.emplace_back();
    spec.name = ScenarioAlarmName(remediation.name);
    spec.purpose = Purpose::kScenario;
    spec.when = remediation.when;
    spec.severity = plan::Severity::kCritical;
    spec.owner = remediation.approval_from;
    spec.min_count = static_cast<double>(remediation.min_count);
  }
  for (RuleSpec& spec : specs) {
    spec.expression = plan::CanonicalText(spec.when);
    FillLateness(plan, spec);
  }
  return specs;
}

std::unique_ptr<Rule> MakeRule(RuleSpec spec, std::uint64_t number, std::uint32_t service) {
  auto rule = std::make_unique<Rule>();
  rule->pane_ms = std::max<std::int64_t>(1, plan::PaneLength(spec.when.window).count());
  rule->panes =
      std::max<std::int64_t>(1, (spec.when.window.count() + rule->pane_ms - 1) / rule->pane_ms);
  rule->spec = std::move(spec);
  rule->number = number;
  rule->service = service;
  return rule;
}

bool SameWindows(const plan::Condition& a, const plan::Condition& b) {
  return a.measure == b.measure && a.by == b.by && a.window == b.window &&
         Upward(a.op) == Upward(b.op);
}

bool Matches(const plan::Operand& operand, std::string_view metric, const Labels& labels) {
  if (operand.metric != metric) return false;
  for (const plan::LabelMatch& match : operand.matches) {
    const std::string* value = labels.Find(match.name);
    const bool equal =
        (value == nullptr ? std::string_view() : std::string_view(*value)) == match.value;
    if (equal == match.negate) return false;
  }
  return true;
}

Labels GroupLabels(const std::vector<std::string>& by, const Labels& labels) {
  Labels out;
  for (const std::string& name : by) {
    const std::string* value = labels.Find(name);
    out.Set(name, value == nullptr ? std::string_view() : std::string_view(*value));
  }
  return out;
}

}  // namespace liveops::engine
