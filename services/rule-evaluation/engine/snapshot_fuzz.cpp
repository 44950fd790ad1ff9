// Snapshots: whatever bytes get past the check sum are refused, or run and can be saved again.
#include <deque>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "common/testing/fuzz.h"
#include "services/rule-evaluation/engine/shard.h"
#include "services/rule-evaluation/engine/timeline_script.h"

namespace liveops::fuzz {
namespace {

using engine::Shard;
using engine::testing::Held;
using Sections = std::vector<std::string>;

// Little of everything that a snapshot holds.
engine::testing::Script Everything() {
  engine::testing::Script script;
  script.plans["p"] = engine::testing::PlanOf(R"(
  - name: hot
    when: CPU by host > 50% for 10s
    clear: "< 40% for 10s"
    severity: low
    levels: [{severity: high, when: "> 70%"}, {severity: critical, when: "> 90% for 5s"}]
    flapping: {times: 2}
    owner: on-call
  - {name: kept, when: req/min < 1000, severity: low, owner: on-call, keep_firing: 10min}
  - {name: silent, when: 5xx > 1%, severity: high, owner: on-call, no_data: fire}
  - {name: grown, when: sum(size) in By > 150% compared to 1min ago, severity: low, owner: on-call}
  - {name: both, when: 5xx > 1% and req/min > 10 unless CPU > 99%, severity: high, owner: on-call}
  - {name: mostly, when: CPU by host > 50% for 2 of 3min, severity: low, owner: on-call, page: false}
  - {name: slow, when: p95(took) in ms by host > 100ms, severity: high, owner: on-call}
)",
                                              R"(slos:
  - {name: up, objective: 99%, bad: http_5xx_count, total: http_request_count, owner: on-call}
  - {name: cool, objective: 99%, time_slices: {good: max(CPU) < 80% and 5xx < 5%, window: 10s}, owner: on-call}
)");
  script.plans["q"] = engine::testing::PlanOf(
      "  - {name: hot, when: CPU by host > 80% for 1min, severity: high, owner: on-call}\n");
  std::string text = R"(plan -2min p
series A gauge cpu_utilization unit=% host=a
series B gauge cpu_utilization unit=% host=b
series R delta http_request_count
series E cumulative http_5xx_count
series S gauge size unit=By
series H histogram took unit=ms host=a
series O observation took unit=ms host=b
series X gauge cpu_utilization unit=% service=other host=a
)";
  for (int second = 0; second < 90; second += 5) {
    text += std::to_string(second) + "s: R=20 E=" + std::to_string(second) +
            " S=9 O=250 X=1 A=" + std::to_string(45 + second % 60) + "\n";
    if (second < 30) text += std::to_string(second) + "s: B=95 @otlp\n";
    if (second == 40) text += "40s: H=190:1,200:10,inf:0\n";
  }
  text +=
      "alert 5s..60s every 20s alertmanager Down firing pod=a @link=l @summary=s @until=70s\n"
      "alert 30s datadog Slow firing @severity=p3\nalert 50s datadog Slow over\n"
      "alert 52s datadog Slow firing @service=other @severity=page\n";
  text +=
      "decommission 40s host=b reason=in\ndeploy 20s 42 new\nprobe 25s one within=90s CPU by host "
      "> 99%\nplan 70s q v2\nend 95s\n";
  script.text = text;
  return script;
}

const std::deque<Held>& Records() {
  static const std::deque<Held> records = [] {
    std::string fault;
    auto read = engine::testing::ReadScript(Everything(), fault);
    Demand(fault.empty(), fault);
    return read;
  }();
  return records;
}

// After so many records, a snapshot.
struct Snapshot {
  std::size_t records;
  Sections sections;
};

const std::vector<Snapshot>& Snapshots() {
  static const std::vector<Snapshot> snapshots = [] {
    std::vector<Snapshot> out;
    Shard shard({}, {});
    std::vector<engine::Transition> told;
    for (std::size_t i = 0; i < Records().size(); ++i) {
      if (i == 2 || i == Records().size() / 2 || i == Records().size() - 60)
        out.push_back({i, shard.Sections()});
      shard.Apply(Records()[i].view, told);
    }
    Demand(shard.counters().plans_refused == 0 && !told.empty(), "the log tells something");
    return out;
  }();
  return snapshots;
}

std::vector<std::string_view> Views(const Sections& sections) {
  return {sections.begin(), sections.end()};
}

}  // namespace

// The first byte says which snapshot, the second which of its sections the rest stands for.
std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (std::size_t s = 0; s < Snapshots().size(); ++s) {
    for (std::size_t i = 0; i < Snapshots()[s].sections.size(); ++i) {
      const std::string& section = Snapshots()[s].sections[i];
      seeds.push_back({static_cast<char>(s), static_cast<char>(i)});
      seeds.back() += section.substr(0, section.size() - 8);
    }
  }
  return seeds;
}

std::vector<std::string> Words() {
  return {"host",
          "cpu_utilization",
          "shop",
          "hot",
          std::string(1, '\0'),
          "\xff\xff\xff\xff\x0f",
          "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"};
}

void Run(std::string_view input) {
  if (input.size() < 2) return;
  const Snapshot& snapshot = Snapshots()[static_cast<unsigned char>(input[0]) % Snapshots().size()];
  Sections sections = snapshot.sections;
  ByteWriter sum;
  sum.Fixed64(Xxh64(input.substr(2)));
  sections[static_cast<unsigned char>(input[1]) % sections.size()] =
      std::string(input.substr(2)) + sum.Take();
  auto shard = Shard::Restore(Views(sections), {}, {});
  if (!shard.ok()) return;
  std::vector<engine::Transition> told;
  for (std::size_t i = snapshot.records; i < Records().size() && i < snapshot.records + 60; ++i)
    shard->Apply(Records()[i].view, told);
  (void)shard->Alarms();
  const Sections after = shard->Sections();
  const auto again = Shard::Restore(Views(after), {}, {});
  Demand(again.ok(), "what was restored can be saved and restored");
  Demand(again->Sections() == after, "and is then the same");
}

}  // namespace liveops::fuzz
