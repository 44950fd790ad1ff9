#include "services/rule-evaluation/engine/oracle/history_plan.h"

#include <fmt/format.h>

namespace liveops::engine::oracle {

// A threshold that sums of rounded numbers do not hit by chance: there the engine and the evaluator
// may differ in the last bit. Values at the threshold have tests of their own.
PlanMaker::Threshold PlanMaker::Between(double low, double high, std::string unit) {
  const double part = static_cast<double>(random_.Below(1000)) / 1000.0;
  const double value = low + (high - low) * part;
  return {static_cast<double>(static_cast<std::int64_t>(value * 100)) / 100 + 0.00137,
          std::move(unit)};
}

std::string PlanMaker::PickWindow() {
  if (grammar_.odd) return PickOddWindow();
  return random_.Of(
      {"5s", "10s", "10s", "20s", "30s", "45s", "1min", "1min", "90s", "2min", "5min"});
}

// Not longer than the shortest time that it is compared over.
std::string PlanMaker::PickComparedWindow() {
  if (grammar_.odd) return PickOddComparedWindow();
  return random_.Of({"5s", "10s", "10s", "20s", "30s", "1min"});
}

std::string PlanMaker::Filter(const HistoryMetric& metric) {
  if (metric.coded && random_.Chance(40)) {
    return random_.Of({"{code=\"500\"}", "{code!=\"500\"}", "{code=\"200\"}"});
  }
  if (random_.Chance(12)) return random_.Of({"{pod=\"a\"}", "{pod!=\"a\"}", "{zone=\"x\"}"});
  return "";
}

void PlanMaker::PickCounter(const HistoryMetric& metric, Alarm& alarm) {
  const std::string series = metric.name + Filter(metric);
  switch (random_.Below(6)) {
    case 0:
      alarm.measure = fmt::format("rate({})", series);
      alarm.threshold = Between(1, 60, "");
      return;
    case 1:
      alarm.measure = fmt::format("rate({}) per min", series);
      alarm.threshold = Between(30, 3000, "");
      return;
    case 2:
      alarm.measure = fmt::format("increase({})", series);
      alarm.threshold = Between(20, 2500, "");
      return;
    case 3:
      alarm.measure = fmt::format("{}({})", random_.Of({"count", "sum"}), series);
      alarm.threshold = Between(20, 2500, "");
      return;
    default:
      break;
  }
  // A ratio: of a part to its whole, or to another counter.
  std::string whole = metric.name;
  std::string part = metric.coded ? metric.name + "{code=\"500\"}" : metric.name + "{pod=\"a\"}";
  for (const HistoryMetric& other : metrics_) {
    if (other.family == Family::kCounter && other.name != metric.name && random_.Chance(50))
      part = other.name;
  }
  alarm.measure =
      fmt::format("{}({}, {})", random_.Chance(85) ? "ratio" : "shortfall", part, whole);
  alarm.threshold = Between(2, 90, "%");
  alarm.share = true;
}

void PlanMaker::PickGauge(const HistoryMetric& metric, Alarm& alarm) {
  const char* aggregate =
      random_.Of({"last", "last", "last", "avg", "avg", "min", "max", "sum", "count", "stddev"});
  alarm.measure = fmt::format("{}({})", aggregate, metric.name + Filter(metric));
  if (std::string_view(aggregate) == "count") {
    alarm.threshold = Between(1, 5, "");
  } else if (std::string_view(aggregate) == "sum") {
    alarm.threshold = Between(30, 300, "");
  } else if (std::string_view(aggregate) == "stddev") {
    alarm.threshold = Between(2, 25, "");
  } else if (random_.Chance(20)) {
    alarm.measure += " of 80";
    alarm.threshold = Between(10, 120, "%");
  } else {
    alarm.threshold = Between(5, 95, "");
    // A reading is as it is, so it may well be at the threshold.
    if (std::string_view(aggregate) != "avg" && random_.Chance(25))
      alarm.threshold.value = static_cast<double>(random_.Between(5, 95));
  }
}

void PlanMaker::PickDistribution(const HistoryMetric& metric, Alarm& alarm) {
  const char* aggregate =
      random_.Of({"p50", "p90", "p95", "p95", "p99", "avg", "avg", "count", "sum", "min", "max"});
  alarm.measure = fmt::format("{}({})", aggregate, metric.name + Filter(metric));
  const std::string_view word = aggregate;
  if (word == "count") {
    alarm.threshold = Between(2, 300, "");
  } else if (word == "sum") {
    alarm.threshold = Between(500, 60'000, "ms");
  } else {
    alarm.threshold = Between(40, 1000, "ms");
  }
}

// How many values of a label report, of one metric or of all.
void PlanMaker::PickHeads(Alarm& alarm) {
  alarm.heads = true;
  if (random_.Chance(50)) {
    const HistoryMetric& metric = random_.Of(metrics_);
    alarm.measure = fmt::format("of {} ", metric.name + Filter(metric));
  }
  alarm.measure += random_.Of({"by pod", "by pod", "by zone"});
  alarm.over = PickWindow();
  alarm.op = std::string("<");
  alarm.threshold = {static_cast<double>(random_.Between(1, 3)), ""};
}

void PlanMaker::PickDistinct(const HistoryMetric& metric, Alarm& alarm) {
  alarm.measure =
      fmt::format("distinct({}, {})", metric.name + Filter(metric), random_.Of({"pod", "zone"}));
  alarm.threshold = {static_cast<double>(random_.Between(1, 3)), ""};
  if (random_.Chance(50)) alarm.threshold.value -= 0.5;
}

// Of two metrics of one family. Nothing is taken from what may be as much: what is left would be an
// error of rounding. False where there are no two.
bool PlanMaker::PickFormula(Alarm& alarm) {
  const HistoryMetric& a = random_.Of(metrics_);
  const HistoryMetric& b = random_.Of(metrics_);
  if (a.name == b.name || a.family != b.family || a.family == Family::kDistribution) return false;
  const bool counters = a.family == Family::kCounter;
  const char* aggregate = counters ? random_.Of({"rate", "rate", "count", "increase"})
                                   : random_.Of({"last", "avg", "min", "max", "sum"});
  const std::string x = fmt::format("{}({})", aggregate, a.name + Filter(a));
  const std::string y = fmt::format("{}({})", aggregate, b.name + Filter(b));
  switch (random_.Below(5)) {
    case 0:
      alarm.measure = fmt::format("{} / {}", x, y);
      alarm.threshold = Between(0.1, 8, "");
      break;
    case 1:
      alarm.measure = fmt::format("({} + {}) / 2", x, y);
      alarm.threshold = Between(5, 95, "");
      break;
    case 2:
      alarm.measure = fmt::format("3 * {} + {}", x, y);
      alarm.threshold = Between(20, 300, "");
      break;
    case 3:
      alarm.measure = fmt::format("{} + {}", x, y);
      alarm.threshold = Between(10, 190, "");
      break;
    default:
      alarm.measure = fmt::format("10 - {} / {}", x, y);
      alarm.threshold = Between(1, 9, "");
      break;
  }
  alarm.by = random_.Of({"", "", "pod", "zone"});
  alarm.over = PickWindow();
  alarm.op = random_.Of({">", "<"});
  return true;
}

void PlanMaker::PickMeasure(Alarm& alarm) {
  if (grammar_.formula && random_.Chance(60) && PickFormula(alarm)) return;
  if (grammar_.counting && random_.Chance(45)) {
    PickHeads(alarm);
    return;
  }
  const HistoryMetric& metric = random_.Of(metrics_);
  if (grammar_.counting && random_.Chance(50)) {
    PickDistinct(metric, alarm);
  } else if (PickOdd(metric, alarm)) {
    alarm.share = false;
  } else if (metric.family == Family::kCounter) {
    PickCounter(metric, alarm);
  } else if (metric.family == Family::kGauge) {
    PickGauge(metric, alarm);
  } else {
    PickDistribution(metric, alarm);
  }
  alarm.by = random_.Of({"", "", "", "pod", "zone", "pod, zone"});
  alarm.over = PickWindow();
  alarm.op = random_.Chance(65) ? random_.Of({">", ">", ">="}) : random_.Of({"<", "<", "<="});
  PickAgo(alarm);
}

// In per cents of what it was: mostly about as much.
void PlanMaker::PickAgo(Alarm& alarm) {
  if (!grammar_.compared || !random_.Chance(60)) return;
  alarm.over = PickComparedWindow();
  alarm.ago = grammar_.odd ? random_.Of({"61s", "61s", "100s", "7min", "1500001ms"})
                           : random_.Of({"1min", "1min", "90s", "2min", "5min", "25min"});
  alarm.threshold = Between(60, 170, "%");
  alarm.share = false;
}

void PlanMaker::PickHold(Alarm& alarm) {
  if (grammar_.quorum && random_.Chance(25)) {
    alarm.hold = random_.Of({"2 of 3min", "1 of 2min", "3 of 5min"});
    return;
  }
  alarm.hold = random_.Of({"0s", "0s", "0s", "4s", "10s", "25s", "1min"});
}

void PlanMaker::PickClear(Alarm& alarm) {
  alarm.clear.clear();
  if (!alarm.more.empty() || alarm.hold.find(" of ") != std::string::npos || !random_.Chance(35))
    return;
  const bool up = alarm.op[0] == '>';
  const double away = 1.01 + static_cast<double>(random_.Below(40)) / 100;
  const double at = up ? alarm.threshold.value / away : alarm.threshold.value * away;
  alarm.clear = fmt::format("{} {:.5f}{}", up ? "<" : ">", at, alarm.threshold.unit);
  if (random_.Chance(50)) alarm.clear += random_.Of({" for 5s", " for 20s", " for 45s"});
}

// Worse severities, each further beyond the threshold.
void PlanMaker::PickLevels(Alarm& alarm) {
  static const std::vector<std::string> kSeverities = {"low", "medium", "high", "critical"};
  alarm.levels.clear();
  const bool several = !alarm.more.empty();
  const bool quorum = alarm.hold.find(" of ") != std::string::npos;
  if (!grammar_.graded || !random_.Chance(45)) return;
  const bool up = alarm.op[0] == '>';
  double below = alarm.threshold.value;
  if (up && alarm.share && below > 99) return;  // an edit made it so great
  bool worse = false;
  for (std::size_t i = 1; i < kSeverities.size(); ++i) {
    worse = worse || kSeverities[i - 1] == alarm.severity;
    if (!worse || random_.Chance(40)) continue;
    const double step = 0.02 + static_cast<double>(random_.Below(30)) / 100;
    const double at = !up           ? below * (1 - step)
                      : alarm.share ? below + (99.5 - below) * step
                                    : below * (1 + step);
    Level level;
    level.severity = kSeverities[i];
    level.when = fmt::format("{} {:.5f}{}", alarm.op, at, alarm.threshold.unit);
    if (!quorum)
      level.when += random_.Of({"", " for 0s", " for 0s", " for 4s", " for 20s", " for 1min"});
    if (!several && random_.Chance(40)) {
      const double clear = alarm.threshold.value + (at - alarm.threshold.value) * 0.8;
      level.clear = fmt::format("{} {:.5f}{}", up ? "<" : ">", clear, alarm.threshold.unit);
      level.clear += random_.Of({"", " for 5s", " for 30s"});
    }
    alarm.levels.push_back(level);
    below = at;
  }
}

void PlanMaker::PickFlapping(Alarm& alarm) {
  alarm.flapping.clear();
  if (!grammar_.graded || !random_.Chance(40)) return;
  alarm.flapping =
      fmt::format("{{times: {}, within: {}, quiet: {}}}", random_.Between(1, 3),
                  random_.Of({"1min", "3min", "10min"}), random_.Of({"5s", "20s", "45s", "2min"}));
}

void PlanMaker::PickKeep(Alarm& alarm) {
  alarm.keep.clear();
  if (!grammar_.graded || !alarm.clear.empty() || !random_.Chance(35)) return;
  alarm.keep = random_.Of({"1s", "10s", "30s", "1min"});
}

PlanMaker::Alarm PlanMaker::NewAlarm() {
  Alarm alarm;
  alarm.name = fmt::format("a{}", named_++);
  PickMeasure(alarm);
  // Sums differ in their last bits, which would change ranks.
  const bool reading = alarm.measure.starts_with("last(g") || alarm.measure.starts_with("max(g") ||
                       alarm.measure.starts_with("min(g");
  if (grammar_.ranked && reading && random_.Chance(80)) {
    alarm.by = random_.Of({"pod", "pod", "zone", "pod, zone"});
    alarm.top = static_cast<int>(random_.Between(1, 3));
  }
  if (grammar_.logic && random_.Chance(50)) {
    const std::int64_t tests = random_.Between(1, 2);
    for (std::int64_t i = 0; i < tests; ++i) {
      Alarm other;
      PickMeasure(other);
      other.by = random_.Chance(60) ? alarm.by : "";
      alarm.more += fmt::format(" {} {}", random_.Of({"and", "or", "unless"}), TestText(other));
    }
  }
  PickHold(alarm);
  PickClear(alarm);
  alarm.severity = random_.Of({"low", "medium", "high", "critical"});
  PickLevels(alarm);
  PickFlapping(alarm);
  PickKeep(alarm);
  alarm.shadow = grammar_.graded && random_.Chance(15);
  alarm.no_data_fires = random_.Chance(35);
  alarm.min_count = random_.Of({1, 1, 5, 20});
  return alarm;
}

std::string PlanMaker::TestText(const Alarm& alarm) const {
  if (alarm.heads) {
    return fmt::format("fewer than {} {} over {}", alarm.threshold.value, alarm.measure,
                       alarm.over);
  }
  std::string text = alarm.measure;
  if (!alarm.by.empty()) text += " by " + alarm.by;
  if (alarm.top > 0) text = fmt::format("topk({}, {})", alarm.top, text);
  text += fmt::format(" over {} {} {}{}", alarm.over, alarm.op, alarm.threshold.value,
                      alarm.threshold.unit);
  return alarm.ago.empty() ? text : text + fmt::format(" compared to {} ago", alarm.ago);
}

std::string PlanMaker::Text(const Alarm& alarm) const {
  std::string text = fmt::format("{{name: {}, when: '{}{} for {}'", alarm.name, TestText(alarm),
                                 alarm.more, alarm.hold);
  if (!alarm.clear.empty()) text += fmt::format(", clear: '{}'", alarm.clear);
  text +=
      fmt::format(", severity: {}, owner: on-call, min_count: {}", alarm.severity, alarm.min_count);
  if (alarm.no_data_fires) text += ", no_data: fire";
  if (!alarm.levels.empty()) {
    std::string levels;
    for (const Level& level : alarm.levels) {
      levels += fmt::format("{}{{severity: {}, when: '{}'", levels.empty() ? "" : ", ",
                            level.severity, level.when);
      levels += level.clear.empty() ? "}" : fmt::format(", clear: '{}'}}", level.clear);
    }
    text += fmt::format(", levels: [{}]", levels);
  }
  if (!alarm.flapping.empty()) text += ", flapping: " + alarm.flapping;
  if (!alarm.keep.empty()) text += ", keep_firing: " + alarm.keep;
  if (alarm.shadow) text += ", shadow: true";
  return text + "}";
}

std::vector<std::string> PlanMaker::Texts() const {
  std::vector<std::string> texts;
  for (const Alarm& alarm : alarms_) texts.push_back(Text(alarm));
  return texts;
}

std::vector<std::string> PlanMaker::First() {
  const std::int64_t count = random_.Between(1, 6);
  for (std::int64_t i = 0; i < count; ++i) alarms_.push_back(NewAlarm());
  return Texts();
}

void PlanMaker::Edit(Alarm& alarm) {
  switch (random_.Below(grammar_.graded ? 11 : 7)) {
    case 0:
      alarm.threshold.value = alarm.heads
                                  ? static_cast<double>(random_.Between(1, 4))
                                  : alarm.threshold.value * (random_.Chance(50) ? 1.25 : 0.8);
      PickClear(alarm);
      PickLevels(alarm);
      break;
    case 1:
      PickHold(alarm);
      PickClear(alarm);
      PickLevels(alarm);
      break;
    case 2:
      alarm.over = alarm.ago.empty() ? PickWindow() : PickComparedWindow();
      if (alarm.top > 0) alarm.top = static_cast<int>(random_.Between(1, 3));
      break;
    case 3:
      alarm.severity = random_.Of({"low", "medium", "high", "critical"});
      PickLevels(alarm);
      break;
    case 7:
    case 8:
      PickLevels(alarm);
      break;
    case 9:
      PickFlapping(alarm);
      PickKeep(alarm);
      break;
    case 10:
      alarm.shadow = !alarm.shadow;
      break;
    default:
      break;
  }
  if (!alarm.clear.empty()) alarm.keep.clear();
}

std::vector<std::string> PlanMaker::Edited() {
  std::vector<Alarm> kept;
  for (Alarm alarm : alarms_) {
    if (random_.Below(8) == 0) continue;  // it goes
    Edit(alarm);
    kept.push_back(alarm);
  }
  alarms_ = kept;
  if (alarms_.empty() || (alarms_.size() < 6 && random_.Chance(50))) alarms_.push_back(NewAlarm());
  return Texts();
}

}  // namespace liveops::engine::oracle
