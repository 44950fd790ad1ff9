#include "services/rule-evaluation/engine/oracle/history_probes.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/plan/parse.h"
#include "services/rule-evaluation/engine/oracle/history_silence.h"
#include "services/rule-evaluation/engine/oracle/random.h"

namespace liveops::engine::oracle {
namespace {

constexpr int kEarlyPercent = 12;
constexpr int kLaterPercent = 12;

// Of an alarm that some plan of the history has; "" where there is none.
std::string SomeCondition(const History& history, const HistoryRecord& record, Random& random) {
  const plan::ParseResult parsed = plan::Parse(history.PlanText(record));
  if (!parsed.ok() || record.alarms.empty()) return "";
  const std::string& alarm = random.Of(record.alarms);
  for (const plan::Alarm& known : parsed.plan.alarms) {
    if (alarm.find(fmt::format("{{name: {},", known.name)) == 0)
      return plan::CanonicalText(known.when);
  }
  return "";
}

}  // namespace

History WithProbes(History history) {
  Random random(history.seed * 4 + 3);
  const bool early = random.Chance(kEarlyPercent);
  const bool later = random.Chance(kLaterPercent);
  const auto first = std::find_if(history.records.begin(), history.records.end(),
                                  [](auto& r) { return r.kind == HistoryRecord::Kind::kPlan; });
  if (first == history.records.end()) return history;
  HistoryRecord probe;
  probe.kind = HistoryRecord::Kind::kProbe;
  probe.expression = SomeCondition(history, *first, random);
  if (probe.expression.empty()) return history;
  probe.at = first->at;
  probe.within = random.Of({60'000, 120'000, 300'000});
  const std::int64_t end = history.records.back().at;
  if (early) {
    probe.probe = "early";
    probe.early = true;
    history.records.insert(first + 1, probe);
  }
  if (later) {
    probe.probe = "later";
    probe.early = false;
    probe.at = random.Between(first->at + 1, std::max(first->at + 1, end));
    history.records.push_back(probe);
    SortByTime(history);
  }
  return history;
}

}  // namespace liveops::engine::oracle
