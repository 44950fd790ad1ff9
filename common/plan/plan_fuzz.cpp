// Plan files: what is taken has a canonical form that says the same.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/plan/canonical_plan.h"
#include "common/plan/parse.h"
#include "common/plan/reference.h"
#include "common/testing/fuzz.h"

namespace liveops::fuzz {
namespace {

// Of those the canonical form may not be a plan (canonical_plan.h).
bool HasPercentByFormula(const plan::Plan& plan) {
  const auto any = [](const plan::Condition& condition) {
    for (std::size_t i = 0; i < plan::TestCount(condition); ++i) {
      const plan::Measure& measure = plan::TestOf(condition, i).measure;
      if (measure.form == plan::Measure::Form::kFormula && measure.unit == "%") return true;
    }
    return false;
  };
  for (const plan::Alarm& alarm : plan.alarms) {
    if (any(alarm.when)) return true;
  }
  for (const plan::Slo& slo : plan.slos) {
    if (slo.slices && any(slo.slices->good)) return true;
  }
  for (const plan::Remediation& remediation : plan.remediations) {
    if (any(remediation.when) || (remediation.expect && any(remediation.expect->condition)))
      return true;
  }
  return false;
}

void CheckProblems(const plan::ParseResult& result, std::string_view text) {
  const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
  for (const plan::Problem& problem : result.problems) {
    Demand(problem.line >= 1 && problem.line <= lines && problem.column >= 1,
           "a problem lies in the file: " + problem.ToString("plan"));
    Demand(!problem.message.empty(), "a problem says what is wrong");
  }
}

// A list of one example, as a plan has it.
std::string Around(const plan::ReferenceExample& example) {
  std::string plan = "service: shop\nowners: {on-call: {slack: \"#oncall\"}}\n" +
                     std::string(plan::ReferenceNames());
  if (!plan.ends_with('\n')) plan += '\n';
  if (example.kind == plan::ReferenceExample::Kind::kObjective)
    return plan + "slos:\n  - " + std::string(example.text) + "\n";
  return plan + "alarms:\n  - {name: a, when: '" + std::string(example.text) +
         "', severity: high, owner: on-call}\n";
}

}  // namespace

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const auto& entry :
       std::filesystem::directory_iterator(LIVEOPS_SOURCE_DIR "/deploy/plans")) {
    std::ifstream in(entry.path(), std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    if (const auto read = plan::Parse(seeds.back()); read.ok())
      seeds.push_back(plan::CanonicalText(read.plan));
  }
  for (const plan::ReferenceSection& section : plan::ReferenceSections()) {
    for (const plan::ReferenceExample& example : section.examples) {
      if (section.title != plan::ReferenceSections().front().title && seeds.size() % 3 != 0)
        continue;
      seeds.push_back(Around(example));
    }
  }
  seeds.emplace_back(R"(service: shop
spread: 4
dedup: 10min
lateness: {cpu_utilization: 3min}
response: {critical: 10min, low: next business day}
logs: [{name: declined, match: "card * \"declined\"", level: error}]
owners: {on-call: {title: "On \"call\"", slack: "#oncall", pagerduty: oncall}}
metrics:
  5xx: {ratio: ['http_5xx_count{route="/a\"b"}', http_request_count]}
  latency: {distribution: http_request_duration_ms, unit: ms, default: true}
alarms:
  - name: hot
    when: latency > 300ms for 5min
    clear: "< 250ms"
    severity: medium
    levels: [{severity: high, when: "> 0.5s"}, {severity: critical, when: "> 1s", clear: "< 800ms for 1min"}]
    flapping: {times: 2}
    owner: on-call
    summary: "two\nlines: \\ \t \x41 \u00df"
  - {name: kept, when: last(m) > 5, severity: low, owner: on-call, keep_firing: 10min, shadow: true}
remediations:
  - name: undo
    when: 5xx > 5% for 3min
    do: {kubectl: [rollout, undo, deployment/shop, -n, production]}
    approval: {from: on-call, within: 20min}
    expect: 5xx < 1% within 5min
    page_with: hot
)");
  seeds.emplace_back(R"(service: shop
owners: {on-call: {slack: "#oncall"}}
lateness: {took: 1min}
slos:
  - name: fast
    objective: 99%
    time_slices: {good: p95(took) < 300ms and ratio(e, r) < 1%, window: 5min}
    min_bad: 1
    owner: on-call
)");
  return seeds;
}

std::vector<std::string> Words() {
  return {"service: ",
          "phase: ",
          "spread: ",
          "dedup: ",
          "foreign_alerts: {owner: on-call}",
          "lateness: ",
          "response: ",
          "owners: ",
          "metrics: ",
          "logs: ",
          "match: ",
          "level: error",
          "slos: ",
          "alarms: ",
          "remediations: ",
          "name: ",
          "when: ",
          "clear: ",
          "severity: ",
          "levels: ",
          "flapping: ",
          "owner: ",
          "page: ",
          "shadow: ",
          "no_data: ",
          "min_count: ",
          "summary: ",
          "runbook: ",
          "keep_firing: ",
          "times: ",
          "within: ",
          "quiet: ",
          "objective: ",
          "good: ",
          "total: ",
          "over: ",
          "ticket: ",
          "min_bad: ",
          "time_slices: {good: p95(m) < 1s}",
          "window: ",
          "ratio: ",
          "rate: ",
          "per: ",
          "metric: ",
          "capacity: ",
          "unit: ",
          "distribution: ",
          "default: ",
          "do: ",
          "kubectl: ",
          "approval: ",
          "from: ",
          "expect: ",
          "page_with: ",
          "critical",
          "high",
          "medium",
          "low",
          "fire",
          "next business day",
          "&a ",
          "*a",
          "!!str ",
          "<<: ",
          "--- ",
          "|\n ",
          ">-\n ",
          "\"\\x41\"",
          "\xef\xbb\xbf",
          "'",
          "? ",
          "5xx > 1%",
          "p95(m) > 1s",
          "99.9%",
          "30d",
          "true",
          "[]",
          "{}"};
}

void Run(std::string_view input) {
  const plan::ParseResult result = plan::Parse(input);
  CheckProblems(result, input);
  const plan::ParseResult fresh = plan::ParseNew(input, 16);
  CheckProblems(fresh, input);
  if (!result.ok()) return Demand(!fresh.ok(), "what is no plan cannot be applied");
  const plan::PlanFile file(result.plan, plan::ParseLogCounts(input));
  const std::string written = plan::CanonicalText(file);
  const plan::ParseResult again = plan::Parse(written);
  if (!again.ok() && HasPercentByFormula(result.plan)) return;
  Demand(again.ok(), "the canonical form is a plan: " + written +
                         (again.ok() ? "" : again.problems.front().ToString("canonical")));
  const plan::PlanFile read(again.plan, plan::ParseLogCounts(written));
  Demand(read == plan::Sorted(file), "the canonical form says the same: " + written);
  DemandSame(plan::CanonicalText(read), written);
  Demand(plan::Compare(file, read).empty(), "nothing differs");
}

}  // namespace liveops::fuzz
