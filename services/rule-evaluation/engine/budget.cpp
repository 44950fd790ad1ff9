// What is left of an objective's error budget.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/base/text.h"
#include "common/plan/burn.h"
#include "services/rule-evaluation/engine/slices.h"

namespace liveops::engine {
namespace {

const Rule* BudgetRule(const Service& service, const std::string& slo) {
  for (const auto& rule : service.rules) {
    if (rule->spec.budget && rule->spec.slo == slo && rule->role != Role::kSource) {
      return rule.get();
    }
  }
  return nullptr;
}

// The least of a per mille is no part that anybody counts.
std::string Percent(double part) { return FormatValue(std::round(part * 1000) / 10, "%"); }

// Of its time, what is known when it was looked at.
std::int64_t KnownMs(const State& s, const Rule& rule, Instant at) {
  const std::int64_t over = rule.window_ms(0);
  const std::int64_t end = rule.PaneAt(0, ToMs(at)) * rule.windows[0].pane_ms;
  const std::int64_t from = KnownFrom(s, rule);
  return from <= end - over ? over : std::max<std::int64_t>(ToMs(at) - from, 0);
}

// Of slices: each is known that was counted, and none else.
void KnowSlices(const Rule& counts, const Rule& judge, const Judgement& last, ErrorBudget& budget) {
  const std::int64_t length = judge.spec.slice.count();
  const std::int64_t at = ToMs(last.at);
  const std::int64_t begin = counts.PaneAt(0, at) * counts.windows[0].pane_ms - counts.window_ms(0);
  const std::int64_t from = std::max(begin, counts.born_ms);
  const auto all =
      static_cast<double>(sketch::LastEnded(at, length) - sketch::PaneIndex(from, length));
  budget.not_counted = std::max(0.0, all - last.points);
  // Of a window that began before the rule the rest is not known either.
  const auto over = static_cast<double>(counts.window_ms(0)) / static_cast<double>(length);
  budget.covered = last.points / (begin < counts.born_ms ? over : last.points + budget.not_counted);
}

std::string Roughly(std::int64_t ms) {
  constexpr std::int64_t kMinute = 60'000;
  const std::int64_t unit = ms >= 60 * kMinute ? 60 * kMinute : kMinute;
  return FormatDuration(Duration(ms / unit * unit));
}

}  // namespace

std::optional<ErrorBudget> BudgetOf(const State& s, const Rule& rule) {
  if (rule.spec.slo.empty()) return std::nullopt;
  const Rule* counts = BudgetRule(*s.services[rule.service], rule.spec.slo);
  // What a home does not know its sources said of it.
  if (counts == nullptr || counts->groups.empty() || counts->home) return std::nullopt;
  const Judgement& last = counts->groups.begin()->second->last;
  if (std::isnan(last.value)) return std::nullopt;
  const double allowed = counts->test(0).threshold;
  ErrorBudget budget;
  budget.slo = rule.spec.slo;
  budget.objective = 1 - allowed / 100;
  budget.over = counts->test(0).window;
  budget.covered =
      static_cast<double>(KnownMs(s, *counts, last.at)) / static_cast<double>(budget.over.count());
  if (const Rule* judge = SliceRuleOf(s, *counts)) KnowSlices(*counts, *judge, last, budget);
  budget.left = 1 - last.value / allowed * budget.covered;
  budget.events = last.points;
  return budget;
}

std::string BudgetText(const ErrorBudget& budget) {
  const bool spent = budget.left < 0;
  const std::string said =
      fmt::format("{} of {} is {}", Percent(spent ? 1 - budget.left : budget.left),
                  plan::BudgetName(budget.over), spent ? "spent" : "left");
  if (budget.covered >= 1) return said;
  const double known = budget.covered * static_cast<double>(budget.over.count());
  std::string missed;
  if (const double n = std::round(budget.not_counted); n > 0) {
    missed = fmt::format("; {} {} neither good nor bad", FormatNumber(n),
                         n > 1 ? "slices were" : "slice was");
  }
  return fmt::format("at {} {} ({} of {} is known{})", spent ? "least" : "most", said,
                     Roughly(std::llround(known)), FormatDuration(budget.over), missed);
}

}  // namespace liveops::engine
