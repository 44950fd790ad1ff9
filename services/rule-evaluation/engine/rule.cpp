#include "services/rule-evaluation/engine/rule.h"

#include <algorithm>

#include "common/plan/burn.h"

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
    case Aggregate::kStddev:
      return counter || gauge ? Cell::kGauge : Cell::kDistribution;
    case Aggregate::kSum:
    case Aggregate::kCount:
      return gauge ? Cell::kGauge : Cell::kCounter;
    case Aggregate::kIncrease:
    case Aggregate::kRate:
      return gauge ? Cell::kNone : Cell::kCounter;
    case Aggregate::kQuantile:
      return counter ? Cell::kNone : Cell::kDistribution;
    case Aggregate::kDistinct:
      return Cell::kDistinct;
  }
  return Cell::kNone;
}

namespace {

void FillLateness(const plan::Plan& plan, RuleSpec& spec) {
  spec.lateness_said_for_all = true;
  for (std::size_t i = 0; i < plan::TestCount(spec.when); ++i) {
    for (const plan::Operand& operand : plan::TestOf(spec.when, i).measure.operands) {
      const auto said =
          std::find_if(plan.lateness.begin(), plan.lateness.end(),
                       [&](const auto& entry) { return entry.first == operand.metric; });
      if (said == plan.lateness.end()) {
        spec.lateness_said_for_all = false;
      } else {
        spec.lateness = std::max(spec.lateness.value_or(Duration(0)), said->second);
      }
    }
  }
}

// It has no group and reads nothing.
RuleSpec& AddLimit(Room room, std::string_view name, const std::string& expression,
                   std::vector<RuleSpec>& specs) {
  RuleSpec& spec = specs.emplace_back();
  spec.name = name;
  spec.room = room;
  spec.expression = expression;
  spec.when.by = {"limit"};
  spec.when.window = std::chrono::days(30);
  return spec;
}

// That series are not watched may silence any alarm: it is as bad as the worst one that pages, and
// told to its owner. Foreign alerts without room are as bad, and told to the owner of foreign ones.
void AddLimits(const plan::Plan& plan, std::vector<RuleSpec>& specs) {
  const plan::Alarm* worst = plan.WorstThatPages();
  if (worst != nullptr) {
    RuleSpec& spec = AddLimit(Room::kSeries, kSeriesLimitName, "series of " + plan.service, specs);
    spec.severity = worst->severity;
    spec.owner = worst->owner;
  }
  const std::string owner = plan.OwnerOfForeign();
  if (owner.empty()) return;
  RuleSpec& spec =
      AddLimit(Room::kForeign, kForeignLimitName, "foreign alerts of " + plan.service, specs);
  spec.severity = worst != nullptr ? worst->severity : plan::Severity::kHigh;
  spec.owner = owner;
}

}  // namespace

std::vector<RuleSpec> SpecsOf(const plan::Plan& plan) {
  std::vector<RuleSpec> specs;
  for (const plan::Slo& slo : plan.slos) {
    if (!slo.slices) continue;
    RuleSpec& spec = specs.emplace_back();
    spec.name = slo.name + plan::kSliceRule;
    spec.purpose = Purpose::kRecord;
    spec.when = slo.slices->good;
    spec.slo = slo.name;
    spec.slice = slo.slices->window;
  }
  for (const plan::Alarm& alarm : plan.alarms) {
    RuleSpec& spec = specs.emplace_back();
    spec.name = alarm.name;
    spec.purpose = alarm.page ? Purpose::kPage : Purpose::kRecord;
    spec.when = alarm.when;
    spec.clear = alarm.clear;
    spec.keep_firing = alarm.keep_firing;
    spec.severity = alarm.severity;
    spec.levels = alarm.levels;
    spec.flapping = alarm.flapping;
    spec.owner = alarm.owner;
    spec.no_data = alarm.no_data;
    spec.min_count = static_cast<double>(alarm.min_count);
    spec.summary = alarm.summary;
    spec.runbook = alarm.runbook;
    spec.evidence = alarm.evidence;
    spec.slo = alarm.slo;
    spec.budget = plan::IsBudget(alarm);
    const plan::Slo* slo = plan.FindSlo(alarm.slo);
    spec.of_slices = slo != nullptr && slo->slices;
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
  AddLimits(plan, specs);
  return specs;
}

namespace {

// The stores of the earlier times that tests are compared with.
void AddEarlier(const plan::Condition& when, std::vector<Window>& windows) {
  for (std::size_t i = 0; i < plan::TestCount(when); ++i) {
    const plan::Test& test = plan::TestOf(when, i);
    if (!test.IsCompared()) continue;
    windows[i].earlier = windows.size();
    Window& made = windows.emplace_back();
    made.test = i;
    made.pane_ms =
        std::max<std::int64_t>(1, plan::EarlierPaneLength(test.window, test.ago).count());
    made.read = std::max<std::int64_t>(1, test.window.count() / made.pane_ms);
    made.ago_ms = test.ago.count();
    made.panes = made.read + (made.ago_ms + made.pane_ms - 1) / made.pane_ms;
  }
}

// How much is left is looked at so often.
constexpr std::int64_t kBudgetStepMs = 60'000;

}  // namespace

std::unique_ptr<Rule> MakeRule(RuleSpec spec, std::uint64_t number, std::uint32_t service) {
  auto rule = std::make_unique<Rule>();
  std::int64_t shortest = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < plan::TestCount(spec.when); ++i) {
    const Duration window = plan::TestOf(spec.when, i).window;
    const std::int64_t pane = std::max<std::int64_t>(1, plan::PaneLength(window).count());
    Window& made = rule->windows.emplace_back();
    made.test = i;
    made.pane_ms = pane;
    made.read = made.panes = std::max<std::int64_t>(1, window.count() / pane);
    shortest = std::min(shortest, pane);
  }
  // Judged at their ends alone, slices need no finer panes.
  for (Window& window : rule->windows) {
    if (!spec.judges_slices()) break;
    window.pane_ms = shortest = spec.slice.count();
    window.read = window.panes = 1;
  }
  AddEarlier(spec.when, rule->windows);
  rule->step_ms = spec.when.quorum.needed > 0 ? spec.when.quorum.slot.count() : shortest;
  if (spec.budget) rule->step_ms = std::min(rule->step_ms, kBudgetStepMs);
  rule->shared.resize(rule->windows.size());
  rule->spec = std::move(spec);
  for (std::size_t i = 0; i < rule->tests(); ++i) {
    rule->calls_roll = rule->calls_roll || (rule->Own(i) && CountsReporters(rule->test(i)));
  }
  rule->number = number;
  rule->service = service;
  return rule;
}

void Member::Note(const Last& point, bool sparse, std::int64_t judged_ms) {
  if (!sparse) {
    if (point.ms >= newest.ms) newest = point;
    older.reset();
    return;
  }
  Last before = point;
  if (point.ms >= newest.ms) std::swap(before, newest);
  if (before.ms <= kSpokeOnceMs || before.ms == newest.ms) return;
  if (!older) older = std::make_unique<std::vector<Last>>();
  const auto later = [](std::int64_t t, const Last& last) { return t < last.ms; };
  const auto at = std::upper_bound(older->begin(), older->end(), before.ms, later);
  if (at != older->begin() && std::prev(at)->ms == before.ms) {
    *std::prev(at) = before;
  } else {
    older->insert(at, before);
  }
  if (newest.ms <= judged_ms) {
    older.reset();
    return;
  }
  const auto open = std::upper_bound(older->begin(), older->end(), judged_ms, later);
  if (open - older->begin() > 1) older->erase(older->begin(), std::prev(open));
}

const Member::Last* Member::UpTo(std::int64_t ms) const {
  if (newest.ms <= ms) return newest.ms <= kSpokeOnceMs ? nullptr : &newest;
  if (!older) return nullptr;
  const auto at = std::upper_bound(older->begin(), older->end(), ms,
                                   [](std::int64_t t, const Last& last) { return t < last.ms; });
  return at == older->begin() ? nullptr : &*std::prev(at);
}

void Member::Forget() {
  forgotten = true;
  const bool spoke = newest.ms != INT64_MIN;
  const bool left = HasLeft();
  newest = Last();
  if (spoke) newest.ms = kSpokeOnceMs;
  if (left) Leave();
  older.reset();
}

std::int64_t Rule::longest_window_ms() const {
  std::int64_t longest = 0;
  for (std::size_t i = 0; i < tests(); ++i) longest = std::max(longest, window_ms(i));
  return longest;
}

const Cells* Rule::CellsOf(const Group& group, std::size_t i) const {
  if (Own(i)) return group.own[i].get();
  const auto it = shared[i].find(GroupLabels(test(i).by, group.labels).Encode());
  return it == shared[i].end() ? nullptr : it->second.get();
}

bool SameWindows(const plan::Condition& a, const plan::Condition& b) {
  if (plan::TestCount(a) != plan::TestCount(b) || a.quorum != b.quorum) return false;
  for (std::size_t i = 0; i < plan::TestCount(a); ++i) {
    const plan::Test& x = plan::TestOf(a, i);
    const plan::Test& y = plan::TestOf(b, i);
    if (x.measure != y.measure || x.by != y.by || x.window != y.window || x.ago != y.ago ||
        plan::IsUpward(x.op) != plan::IsUpward(y.op)) {
      return false;
    }
  }
  return true;
}

bool Matches(const plan::Operand& operand, const Labels& labels) {
  if (!operand.label.empty()) {
    const std::string* value = labels.Find(operand.label);
    if (value == nullptr || value->empty()) return false;
  }
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
