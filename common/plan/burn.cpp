#include "common/plan/burn.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "common/base/hash.h"
#include "common/base/text.h"

namespace liveops::plan {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// A tier fires while the share of bad events would burn so much of the budget in its long window,
// over both windows: the long one says that it matters, the short one that it goes on.
struct Tier {
  int budget_percent;
  Duration long_window;
  Duration short_window;
};

// Recommended there for 30 days, where they are burn rates of 14.4, 6, 3 and 1.
constexpr Tier kPage = {2, hours(1), minutes(5)};
constexpr Tier kPageLater = {5, hours(6), minutes(30)};
constexpr Tier kTicket = {10, hours(24), hours(2)};
constexpr Tier kTicketLater = {10, hours(72), hours(6)};

// How many times faster than the budget allows: a rate of 1 burns all of it in just its time.
double BurnRate(const Tier& tier, Duration over) {
  return tier.budget_percent * static_cast<double>(over.count()) /
         (100 * static_cast<double>(tier.long_window.count()));
}

// What may be bad at this burn rate, in per cents. To 12 digits: an objective of 99.9 % leaves
// 0.1 %, though no double says so.
double Allowed(const Slo& slo, double burn) {
  const double percent = burn * (1 - slo.objective) * 100;
  const std::string digits = fmt::format("{:.12g}", percent);
  double rounded = percent;
  std::from_chars(digits.data(), digits.data() + digits.size(), rounded);
  return rounded;
}

double Threshold(const Tier& tier, const Slo& slo) {
  return Allowed(slo, BurnRate(tier, slo.over));
}

void AddTest(const Slo& slo, Duration window, double threshold, std::vector<Test>& tests) {
  Test& test = tests.emplace_back();
  test.measure = slo.bad;
  test.measure.unit = std::string("%");
  test.window = window;
  test.op = Comparison::kGreater;
  test.threshold = threshold;
}

// The steps that join what both windows of a tier say, from test `first` on.
void AddTier(const Tier& tier, const Slo& slo, std::vector<Test>& tests,
             std::vector<LogicStep>& logic) {
  for (const Duration window : {tier.long_window, tier.short_window}) {
    logic.push_back({LogicStep::Kind::kTest, tests.size()});
    AddTest(slo, window, Threshold(tier, slo), tests);
  }
  logic.push_back({LogicStep::Kind::kAnd, 0});
}

void AddEither(const Tier& one, const Tier& other, const Slo& slo, std::vector<Test>& tests,
               std::vector<LogicStep>& logic) {
  AddTier(one, slo, tests, logic);
  AddTier(other, slo, tests, logic);
  logic.push_back({LogicStep::Kind::kOr, 0});
}

Condition ConditionOf(std::vector<Test> tests, std::vector<LogicStep> logic) {
  Condition condition;
  static_cast<Test&>(condition) = std::move(tests.front());
  condition.more.assign(std::make_move_iterator(tests.begin() + 1),
                        std::make_move_iterator(tests.end()));
  condition.logic = std::move(logic);
  return condition;
}

Alarm AlarmOf(const Slo& slo, const char* suffix) {
  Alarm alarm;
  alarm.name = slo.name + suffix;
  alarm.owner = slo.owner;
  alarm.slo = slo.name;
  alarm.min_count = 0;  // what few events may say is for `evidence`
  return alarm;
}

std::string TimeOf(const Tier& tier) {
  const auto h = std::chrono::duration_cast<hours>(tier.long_window).count();
  return h % 24 == 0 ? fmt::format("{} d", h / 24) : fmt::format("{} h", h);
}

}  // namespace

Measure BadSlices(const std::string& slo, const TimeSlices& slices) {
  const std::string words = CanonicalText(slices) + " " + FormatDuration(slices.window);
  const std::string digest = fmt::format("{:08x}", Xxh64(words) >> 32);
  Measure share;
  share.form = Measure::Form::kRatio;
  share.unit = std::string("1");
  share.operands.clear();
  for (const char* metric : {kBadSlices, kSlices}) {
    Operand& operand = share.operands.emplace_back();
    operand.aggregate = Aggregate::kIncrease;
    operand.metric = metric;
    operand.matches = {{"condition", false, digest}, {"slo", false, slo}};
  }
  return share;
}

std::int64_t SlicesInShortest(const TimeSlices& slices) {
  return kPage.short_window / slices.window;
}

std::uint64_t UsualBadSlices(const TimeSlices& slices) {
  return static_cast<std::uint64_t>(std::min<std::int64_t>(2, SlicesInShortest(slices)));
}

std::string BudgetName(Duration over) {
  if (over == hours(24 * 30)) return "the month's error budget";
  if (over == hours(24 * 7)) return "the week's error budget";
  return fmt::format("the error budget of {}", FormatDuration(over));
}

bool IsBudget(const Alarm& alarm) {
  return !alarm.slo.empty() && alarm.name == alarm.slo + kBudget;
}

BurnAlarms MakeBurnAlarms(const Slo& slo) {
  BurnAlarms alarms{AlarmOf(slo, kFastBurn), AlarmOf(slo, kSlowBurn), AlarmOf(slo, kBudget)};
  std::vector<Test> tests;
  std::vector<LogicStep> logic;
  AddEither(kPage, kPageLater, slo, tests, logic);
  alarms.fast.when = ConditionOf(std::move(tests), std::move(logic));
  alarms.fast.summary = fmt::format("{} % of {} was burnt in {}, or {} % in {}.",
                                    kPage.budget_percent, BudgetName(slo.over), TimeOf(kPage),
                                    kPageLater.budget_percent, TimeOf(kPageLater));
  tests.clear();
  logic.clear();
  AddEither(kTicket, kTicketLater, slo, tests, logic);
  AddEither(kPage, kPageLater, slo, tests, logic);
  logic.push_back({LogicStep::Kind::kUnless, 0});
  alarms.slow.when = ConditionOf(std::move(tests), std::move(logic));
  alarms.slow.summary = fmt::format("{} % of {} was burnt in {}, or in {}.", kTicket.budget_percent,
                                    BudgetName(slo.over), TimeOf(kTicket), TimeOf(kTicketLater));
  tests.clear();
  AddTest(slo, slo.over, Allowed(slo, 1), tests);
  alarms.budget.when = ConditionOf(std::move(tests), {});
  alarms.budget.page = false;
  alarms.budget.severity = Severity::kLow;
  alarms.budget.summary = fmt::format("All of {} is spent.", BudgetName(slo.over));
  return alarms;
}

namespace {

// One bad slice is more than all that may be bad.
std::string TooFine(const Slo& slo) {
  const double all = static_cast<double>(slo.over / slo.slices->window);
  const double may = Allowed(slo, 1) / 100 * all;
  if (may >= 1 - 1e-9) return "";
  // The highest objective that leaves one, to four digits.
  const double highest = std::floor((1 - 1 / all) * 1e6 + 1e-6) / 1e4;
  return fmt::format(
      "{:.6g}% of the {} slices of {} in {} leave {} of one slice to be bad: the first bad one "
      "would be more than the whole budget; the highest objective is {:.6g}%, or take shorter "
      "slices",
      slo.objective * 100, FormatNumber(all), FormatDuration(slo.slices->window),
      FormatDuration(slo.over), FormatNumber(std::round(may * 100) / 100), highest);
}

}  // namespace

std::string BurnFault(const Slo& slo) {
  if (slo.slices) {
    if (std::string fault = TooFine(slo); !fault.empty()) return fault;
  }
  for (const Tier& tier : {kPage, kPageLater, kTicket, kTicketLater}) {
    const double percent = Threshold(tier, slo);
    if (percent < 100) continue;
    const double burn = BurnRate(tier, slo.over);
    const char* what = slo.slices ? "slices" : "events";
    // Just above 1 - 1/burn, to two digits.
    const double lowest = std::floor((100 - 100 / burn) * 100 + 1) / 100;
    return fmt::format(
        "{} % of {} in {} is {} times the {}% of bad {} that the objective allows, {}%: no "
        "share of {} is above that, so the alarm could never fire; the lowest objective at "
        "which it can is {}%",
        tier.budget_percent, BudgetName(slo.over), TimeOf(tier), FormatNumber(burn),
        FormatNumber((1 - slo.objective) * 100), what, FormatNumber(percent), what,
        FormatNumber(lowest));
  }
  return "";
}

}  // namespace liveops::plan
