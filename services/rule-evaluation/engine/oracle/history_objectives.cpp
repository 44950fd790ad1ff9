#include "services/rule-evaluation/engine/oracle/history_objectives.h"

#include <fmt/format.h>

namespace liveops::engine::oracle {
namespace {

// Thresholds that sums of rounded numbers do not hit by chance.
std::string Test(Random& random, const HistoryMetric& metric) {
  const double part = static_cast<double>(random.Below(1000)) / 1000.0;
  const std::string& m = metric.name;
  const char* op = random.Of({"<", "<", "<=", ">"});
  switch (metric.family) {
    case Family::kCounter:
      if (metric.coded && random.Chance(60))
        return fmt::format("ratio({}{{code=\"500\"}}, {}) {} {:.5f}%", m, m, op,
                           1.00137 + 60 * part);
      return fmt::format("rate({}) {} {:.5f}", m, op, 0.10137 + 20 * part * part);
    case Family::kGauge:
      return fmt::format("{}({}) {} {:.5f}", random.Of({"last", "avg", "max", "min", "sum"}), m, op,
                         10.00137 + 70 * part);
    case Family::kDistribution:
      break;
  }
  return fmt::format("{}({}) {} {:.5f}ms", random.Of({"p95", "p50", "avg", "max"}), m, op,
                     80.00137 + 600 * part);
}

std::string SliceObjective(Random& random, const std::vector<HistoryMetric>& metrics, bool hours) {
  std::string good = Test(random, random.Of(metrics));
  if (random.Chance(25))
    good += random.Of({" and ", " or ", " unless "}) + Test(random, random.Of(metrics));
  const std::string window =
      hours ? random.Of({"30s", "1min", "1min", "2min", "5min"})
            : random.Of({"10s", "10s", "15s", "20s", "30s", "1min", "1min", "2min", "5min"});
  std::string text =
      fmt::format("{{name: s, objective: {}%, time_slices: {{good: '{}', window: {}}}",
                  random.Of({"99", "98", "97", "95"}), good, window);
  if (random.Chance(40)) text += ", min_bad: 1";
  return text + ", owner: on-call}";
}

}  // namespace

std::string EventObjective(Random& random) {
  return fmt::format(
      "{{name: o, objective: {}%, good: 'c0{{code!=\"500\"}}', total: c0, owner: on-call, "
      "min_bad: {}}}",
      random.Of({"99", "98.5", "97.5", "96.5"}), random.Of({1, 5, 20}));
}

// Drawn apart from all else.
void AddSlices(History& history, const std::vector<HistoryMetric>& metrics, bool hours) {
  Random random(history.seed * 2 + 1'000'001);
  if (!random.Chance(hours ? 90 : 30)) return;
  std::string slices = SliceObjective(random, metrics, hours);
  for (HistoryRecord& record : history.records) {
    if (record.kind != HistoryRecord::Kind::kPlan) continue;
    if (record.version > 1 && random.Chance(30))
      slices = random.Chance(15) ? "" : SliceObjective(random, metrics, hours);
    record.slices = slices;
  }
}

}  // namespace liveops::engine::oracle
