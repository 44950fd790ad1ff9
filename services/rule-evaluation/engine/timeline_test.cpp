#include "services/rule-evaluation/engine/timeline.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "services/rule-evaluation/engine/timeline_script.h"

namespace liveops::engine::testing {
namespace {

std::string Short(const Transition& t) {
  std::string out = fmt::format("{} {}{} {} {}", FormatDuration(t.clock - InstantFromMs(kNine)),
                                t.name, t.group.ToString(), AlarmStateName(t.state), t.reason);
  if (!std::isnan(t.value)) out += " " + FormatValue(t.value, t.unit);
  if (t.severity_before) {
    out += fmt::format(", {} from {}", plan::SeverityName(t.severity),
                       plan::SeverityName(*t.severity_before));
  }
  if (t.swings > 0) out += fmt::format(", opened {} times", t.swings);
  if (t.service != "shop") out = t.service + ": " + out;
  return out + "\n";
}

struct Sink {
  std::string told;
  std::string dump;
  std::vector<Transition> transitions;
};

void Feed(Shard& shard, const Held& held, Sink& sink) {
  if (!held.show.empty()) {
    for (const AlarmView& v : shard.Alarms()) {
      if (v.alarm_id != held.show && v.name != held.show) continue;
      sink.told += fmt::format("{} {} is {}: {}\n", FormatDuration(Duration(held.order)), v.name,
                               AlarmStateName(v.state), v.explanation);
    }
    return;
  }
  std::vector<Transition> out;
  shard.Apply(held.view, out);
  for (const Transition& t : out) {
    sink.told += Short(t);
    sink.dump += Dump(t);
    sink.transitions.push_back(t);
  }
}

// Snapshot, restore, and on: nothing may differ.
std::string PlayWithRestart(const std::deque<Held>& records, std::size_t cut, const TimeMap& map,
                            const Sink& straight, const std::string& straight_end) {
  Shard shard(map, {});
  Sink sink;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i == cut) {
      const std::string bytes = shard.Snapshot();
      auto restored = Shard::Restore(bytes, map, {});
      if (!restored.ok())
        return fmt::format("restart before record {}: {}", cut, restored.error().message);
      if (restored->Snapshot() != bytes)
        return fmt::format("restart before record {}: other bytes", cut);
      shard = std::move(*restored);
    }
    Feed(shard, records[i], sink);
  }
  if (sink.told != straight.told || sink.dump != straight.dump) {
    return fmt::format("restart before record {} of {}: told\n{}instead of\n{}", cut,
                       records.size(), sink.told, straight.told);
  }
  const std::string end = shard.Snapshot();
  if (end != straight_end) {
    const auto [a, b] =
        std::mismatch(end.begin(), end.end(), straight_end.begin(), straight_end.end());
    return fmt::format("restart before record {}: another end, from byte {} of {} or {}", cut,
                       a - end.begin(), end.size(), straight_end.size());
  }
  return "";
}

}  // namespace

std::string Dump(const Transition& t) {
  std::string out = fmt::format(
      "{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}"
      "|{}|",
      t.alarm_id, t.service, t.name, t.group.ToString(), static_cast<int>(t.purpose),
      ToMs(t.episode), t.step, AlarmStateName(t.state), t.reason, plan::SeverityName(t.severity),
      t.owner, t.expression, t.value, t.value_low, t.value_high, t.threshold,
      plan::ComparisonSign(t.comparison), t.unit, t.window.count(), t.hold.count(),
      ToMs(t.window_end), ToMs(t.since), t.peak, t.duration.count(), t.points, t.plan_version,
      ToMs(t.clock), ToMs(t.clock_real), t.source_offset, t.probe_id, t.summary,
      t.compared + t.budget);
  for (const Contribution& c : t.top) out += fmt::format("{}={}={}|", c.label, c.value, c.share);
  for (const Change& c : t.changes) out += fmt::format("{}@{}|", c.description, ToMs(c.time));
  if (t.severity_before) out += fmt::format("{}|", plan::SeverityName(*t.severity_before));
  if (t.swings > 0) {
    out += fmt::format("{}|{}|{}|", t.swings, t.flaps_within.count(), t.quiet.count());
  }
  if (t.groups_refused > 0) out += fmt::format("{}|", t.groups_refused);
  if (!t.origin.empty()) {
    out += fmt::format("{}|{}|{}|{}|{}|", t.origin, t.link, t.runbook, ToMs(t.heard),
                       ToMs(t.valid_until));
  }
  return out + Hex(TransitionId(t)) + "\n";
}

Outcome Play(const Script& script) {
  Outcome outcome;
  const std::deque<Held> records = ReadScript(script, outcome.fault);
  if (!outcome.fault.empty()) return outcome;
  Shard shard(script.map, {});
  Sink sink;
  for (const Held& held : records) Feed(shard, held, sink);
  outcome.told = sink.told;
  outcome.transitions = sink.transitions;
  outcome.counters = shard.counters();
  const std::string end = shard.Snapshot();
  const std::size_t step = std::max<std::size_t>(1, records.size() / 12);
  for (std::size_t cut = 1; cut < records.size() && outcome.fault.empty(); cut += step) {
    outcome.fault = PlayWithRestart(records, cut + cut % 7, script.map, sink, end);
  }
  return outcome;
}

std::string PlanOf(std::string_view alarms, std::string_view rest) {
  return std::string(R"(service: shop
owners:
  on-call: {slack: "#oncall", pagerduty: oncall}
metrics:
  latency: {distribution: http_request_duration_ms, unit: ms, default: true}
  5xx: {ratio: [http_5xx_count, http_request_count]}
  req/min: {rate: http_request_count, per: min}
  CPU: {metric: cpu_utilization, unit: "%"}
  DB connections: {metric: db_connection_count, capacity: 200}
alarms:
)") + std::string(alarms) +
         "\n" + std::string(rest);
}

std::string One(std::string_view name, std::string_view when, std::string_view more) {
  return PlanOf("  - {name: " + std::string(name) + ", when: '" + std::string(when) +
                "', severity: high, owner: on-call" + std::string(more) + "}");
}

std::string Told(std::string_view plan, std::string_view script) {
  Script s;
  s.plans["p"] = plan;
  s.text = "plan -2min p\n" + std::string(script);
  Outcome outcome = Play(s);
  if (!outcome.fault.empty()) return "FAULT " + outcome.fault;
  if (outcome.counters.plans_refused > 0) return "FAULT the plan was refused";
  return "\n" + outcome.told;
}

namespace {

TEST(Timeline, SaysWhatIsWrongWithAScript) {
  Script s;
  s.text = "series E delta errors\n10s: X=1\nend 20s";
  EXPECT_EQ(Play(s).fault, "no such series: X=1");
  s.text = "series E delta errors";
  EXPECT_EQ(Play(s).fault, "no end");
}

}  // namespace
}  // namespace liveops::engine::testing
