#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "services/rule-evaluation/engine/timeline_script.h"

namespace liveops::engine::testing {

// Two services with alarms by label, series that come late, a plan that changes, a probe, a
// deployment and a decommission: whatever a section holds changes while a cut is open.
inline std::deque<Held> BusyLog() {
  Script script;
  script.plans["p"] = PlanOf(
      "  - {name: hot, when: CPU by host > 90% and req/min > 10, severity: high, owner: on-call}\n"
      "  - {name: errors, when: 5xx > 1%, severity: high, owner: on-call, no_data: fire}",
      "slos:\n  - {name: cool, objective: 99%, time_slices: {good: avg(CPU) < 90%, window: 10s}, "
      "owner: on-call}\n");
  script.plans["q"] =
      PlanOf("  - {name: hot, when: CPU by host > 80% for 1min, severity: high, owner: on-call}");
  std::string text = "plan -2min p\n";
  for (int i = 0; i < 40; ++i) {
    text += fmt::format("series C{0} gauge cpu_utilization unit=% host=h{0}\n", i);
  }
  text +=
      "series R delta http_request_count\nseries E delta http_5xx_count\n"
      "series X gauge cpu_utilization unit=% service=other host=a\n";
  for (int second = 0; second < 180; second += 5) {
    text += fmt::format("{}s: R=100 E={} X=1", second, second % 20 == 0 ? 9 : 0);
    for (int i = 0; i <= second / 5; ++i) text += fmt::format(" C{}={}", i, 85 + (second + i) % 10);
    text += "\n";
  }
  text +=
      "alert 10s..100s every 30s alertmanager Down firing pod=a @until=110s\n"
      "alert 20s datadog Slow firing @severity=p3\nalert 50s datadog Slow over\n";
  text +=
      "deploy 1min 42 new\ndecommission 80s host=h3 reason=scale-in\nprobe 70s one within=90s CPU "
      "by host > 99%\nplan 2min q v2\nend 200s\n";
  script.text = text;
  std::string fault;
  auto records = ReadScript(script, fault);
  EXPECT_EQ(fault, "");
  return records;
}

}  // namespace liveops::engine::testing
