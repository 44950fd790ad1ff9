#include "services/liveopsctl/render/rehearsals.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "services/liveopsctl/render/rehearsal_parts.h"

namespace liveops::ctl {
namespace {

using nlohmann::ordered_json;
using rehearse::TestOutcome;

ordered_json AsJson(const engine::Transition& told) {
  return {{"at_ms", ToMs(told.clock) - rehearse::kTestBegin},
          {"alarm", rehearse::NameWithGroup(told.alarm_id)},
          {"state", engine::AlarmStateName(told.state)},
          {"reason", told.reason},
          {"value", told.value},
          {"unit", told.unit},
          {"severity", plan::SeverityName(told.severity)},
          {"owner", told.owner},
          {"page", rehearse::IsPage(told)}};
}

ordered_json AsJson(const TestOutcome& outcome) {
  ordered_json transitions = ordered_json::array();
  for (const engine::Transition& told : outcome.told) transitions.push_back(AsJson(told));
  return {{"name", outcome.name},
          {"line", outcome.line},
          {"passed", outcome.passed()},
          {"length_ms", outcome.length.count()},
          {"transitions", std::move(transitions)},
          {"discrepancies", DiscrepanciesJson(outcome.discrepancies)},
          {"notes", outcome.notes}};
}

}  // namespace

std::string RenderTest(const TestOutcome& outcome, const Style& style) {
  const auto pages = static_cast<std::size_t>(
      std::count_if(outcome.told.begin(), outcome.told.end(), rehearse::IsPage));
  const std::string head = fmt::format("{}  ({}, {})", Printable(outcome.name),
                                       FormatElapsed(outcome.length), Count(pages, "page"));
  std::string out = "  ";
  out += outcome.passed() ? Paint(style, Tone::kGood, "ok  ") : Paint(style, Tone::kBad, "FAIL");
  out += "  " + head;
  if (!outcome.passed()) out += fmt::format("  line {}", outcome.line);
  out += "\n";
  if (!outcome.discrepancies.empty()) out += RenderDiscrepancies(outcome.discrepancies, 8, style);
  for (const std::string& note : outcome.notes)
    out += Indented(Paint(style, Tone::kWarning, "note: " + Printable(note)), 8);
  return out;
}

std::string RenderCoverage(const TestedPlan& plan, const Style& style) {
  std::string out =
      fmt::format("coverage of {}: {} that page{}\n", Printable(plan.plan),
                  Count(plan.coverage.alarms(), "alarm"), plan.coverage.alarms() == 1 ? "s" : "");
  const auto line = [&](const char* what, const std::vector<std::string>& alarms) {
    const std::string list = alarms.empty() ? Paint(style, Tone::kGood, "none")
                                            : Printable(fmt::format("{}", fmt::join(alarms, ", ")));
    out += fmt::format("  {:<26}{}\n", what, list);
  };
  line("fired in no test:", plan.coverage.NeverFired());
  line("resolved in no test:", plan.coverage.NeverResolved());
  line("without data in no test:", plan.coverage.NeverSilent());
  return out;
}

std::string RenderTotals(const std::vector<TestedFile>& files, const Style& style) {
  std::size_t passed = 0;
  std::size_t failed = 0;
  for (const TestedFile& file : files) {
    for (const TestOutcome& outcome : file.outcomes) ++(outcome.passed() ? passed : failed);
  }
  const std::string bad = fmt::format("{} failed", failed);
  return fmt::format("{} passed, {}\n", passed, failed > 0 ? Paint(style, Tone::kBad, bad) : bad);
}

std::string TestsJson(const std::vector<TestedFile>& files, const std::vector<TestedPlan>& plans) {
  std::size_t passed = 0;
  std::size_t failed = 0;
  ordered_json listed = ordered_json::array();
  for (const TestedFile& file : files) {
    ordered_json tests = ordered_json::array();
    for (const TestOutcome& outcome : file.outcomes) {
      ++(outcome.passed() ? passed : failed);
      tests.push_back(AsJson(outcome));
    }
    listed.push_back({{"file", file.file}, {"plan", file.plan}, {"tests", std::move(tests)}});
  }
  ordered_json coverage = ordered_json::array();
  for (const TestedPlan& plan : plans) {
    coverage.push_back({{"plan", plan.plan},
                        {"alarms_that_page", plan.coverage.alarms()},
                        {"never_fired", plan.coverage.NeverFired()},
                        {"never_resolved", plan.coverage.NeverResolved()},
                        {"never_without_data", plan.coverage.NeverSilent()}});
  }
  const ordered_json document{{"passed", passed},
                              {"failed", failed},
                              {"files", std::move(listed)},
                              {"coverage", std::move(coverage)}};
  return OneLine(document);
}

}  // namespace liveops::ctl
