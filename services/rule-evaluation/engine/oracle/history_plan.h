#pragma once

#include <string>
#include <vector>

#include "services/rule-evaluation/engine/oracle/random.h"

namespace liveops::engine::oracle {

// What a metric of a history measures.
enum class Family { kCounter, kGauge, kDistribution };

struct HistoryMetric {
  Family family = Family::kGauge;
  std::string name;
  bool coded = false;  // a counter whose series have a label `code`
};

// How a condition may be made up.
struct Grammar {
  bool logic = false;     // several tests, joined
  bool quorum = false;    // `for 3 of 5min`
  bool compared = false;  // `compared to 1min ago`
  bool ranked = false;    // `topk(2, last(m) by pod) > 80`
  bool counting = false;  // `fewer than 3 by pod`, `distinct(m, pod) > 2`
  bool formula = false;   // `(avg(a) + avg(b)) / 2`
  bool graded = false;    // levels, flapping, keep_firing, shadows
  // Windows that are not thirty panes of whole seconds; aggregates that few ask for: of what
  // counters report and gauges read.
  bool odd = false;
};

inline Grammar PickGrammar(Random& random, bool odd) {
  Grammar grammar;
  grammar.odd = odd;
  grammar.logic = random.Chance(40);
  grammar.quorum = random.Chance(20);
  grammar.compared = random.Chance(35);
  grammar.graded = random.Chance(60);
  grammar.counting = random.Chance(50);
  grammar.formula = random.Chance(40);
  grammar.ranked = random.Chance(40);
  return grammar;
}

// The alarms of a plan, a YAML list item each.
class PlanMaker {
 public:
  PlanMaker(Random& random, const std::vector<HistoryMetric>& metrics, Grammar grammar)
      : random_(random), metrics_(metrics), grammar_(grammar) {}

  std::vector<std::string> First();
  // What an edit makes of the alarms last made: some stay, some change, some go, some come.
  std::vector<std::string> Edited();

 private:
  struct Threshold {
    double value = 0;
    std::string unit;
  };
  struct Level {
    std::string severity;
    std::string when;
    std::string clear;
  };
  struct Alarm {
    std::string name;
    std::string measure;
    std::string by;
    std::string over;
    std::string op;
    Threshold threshold;
    std::string ago;     // "" = it is not compared
    bool share = false;  // it is at most 100 %
    int top = 0;         // only so many groups count
    bool heads = false;  // it counts who reports; `measure` is what follows the number
    std::string more;    // further tests
    std::string hold;
    std::string clear;
    std::string severity;
    std::vector<Level> levels;
    std::string flapping;
    std::string keep;
    bool shadow = false;
    bool no_data_fires = false;
    int min_count = 0;
  };

  Alarm NewAlarm();
  std::string Text(const Alarm& alarm) const;
  void PickMeasure(Alarm& alarm);
  void PickCounter(const HistoryMetric& metric, Alarm& alarm);
  void PickGauge(const HistoryMetric& metric, Alarm& alarm);
  void PickDistribution(const HistoryMetric& metric, Alarm& alarm);
  bool PickFormula(Alarm& alarm);
  bool PickOdd(const HistoryMetric& metric, Alarm& alarm);
  void PickHold(Alarm& alarm);
  void PickHeads(Alarm& alarm);
  void PickDistinct(const HistoryMetric& metric, Alarm& alarm);
  void PickClear(Alarm& alarm);
  void PickAgo(Alarm& alarm);
  void PickLevels(Alarm& alarm);
  void PickFlapping(Alarm& alarm);
  void PickKeep(Alarm& alarm);
  void Edit(Alarm& alarm);
  std::string Filter(const HistoryMetric& metric);
  std::string PickWindow();
  std::string PickComparedWindow();
  std::string PickOddWindow();
  std::string PickOddComparedWindow();
  Threshold Between(double low, double high, std::string unit);
  std::string TestText(const Alarm& alarm) const;
  std::vector<std::string> Texts() const;

  Random& random_;
  const std::vector<HistoryMetric>& metrics_;
  Grammar grammar_;
  std::vector<Alarm> alarms_;
  int named_ = 0;
};

}  // namespace liveops::engine::oracle
