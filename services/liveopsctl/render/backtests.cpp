#include "services/liveopsctl/render/backtests.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/base/text.h"
#include "services/liveopsctl/render/rehearsal_parts.h"
#include "services/liveopsctl/render/table.h"

namespace liveops::ctl {
namespace {

using nlohmann::ordered_json;
using rehearse::AlarmReport;
using rehearse::BacktestReport;
using rehearse::Episode;

constexpr std::size_t kTimelineMax = 200;
constexpr std::size_t kNamesMax = 12;

std::string Names(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kNamesMax);
  std::string out = fmt::format("{}", fmt::join(names.begin(), names.begin() + shown, ", "));
  if (shown < names.size()) out += fmt::format(" and {} more", names.size() - shown);
  return out;
}

template <typename Wanted>
std::vector<std::string> AlarmsWhere(const BacktestReport& report, Wanted wanted) {
  std::vector<std::string> names;
  for (const AlarmReport& alarm : report.alarms) {
    if (wanted(alarm)) names.push_back(alarm.name);
  }
  return names;
}

std::string Period(const BacktestReport& report) {
  return fmt::format("{} to {} ({})", Moment(ToMs(report.from)), Moment(ToMs(report.to)),
                     FormatElapsed(report.to - report.from));
}

std::string FirstPageAfter(const BacktestReport& report, const rehearse::Mark& mark) {
  for (const Episode& episode : report.episodes) {
    if (!rehearse::IsPage(episode.opened) || episode.opened.clock < mark.at) continue;
    return fmt::format("first page {} after it: {}", FormatElapsed(episode.opened.clock - mark.at),
                       episode.alarm());
  }
  return "no page after it";
}

std::string RenderHead(const BacktestReport& report, const std::string& file, const Style& style) {
  std::vector<std::string> services{report.service};
  services.insert(services.end(), report.reads.begin(), report.reads.end());
  Facts facts;
  facts.Add("about", report.header.about);
  facts.Add("made by", report.header.made_by);
  facts.Add("seen", fmt::format("{}: {} and {} of {}", Period(report),
                                Count(report.batches, "batch record"),
                                Count(report.points, "point"), fmt::join(services, ", ")));
  facts.Add("pages", fmt::format("{} ({} a day at this rate)", report.pages,
                                 FormatNumber(report.PagesPerDay())));
  for (const rehearse::Mark& mark : report.marks) {
    facts.Add("mark", fmt::format("{} {}; {}", Moment(ToMs(mark.at)), mark.text,
                                  FirstPageAfter(report, mark)));
  }
  return Paint(style, Tone::kStrong, Printable(file)) + "\n" + facts.ToString(style);
}

std::string RenderAlarms(const BacktestReport& report, const Style& style) {
  const bool any = std::any_of(report.alarms.begin(), report.alarms.end(),
                               [](const AlarmReport& alarm) { return alarm.fired > 0; });
  if (!any) return "No alarm fired.\n";
  Table table({"ALARM", "KIND", "FIRED", "TIME FIRING", "FIRST", "FLAPS", "AT THE END"});
  for (const AlarmReport& alarm : report.alarms) {
    if (alarm.fired == 0) continue;
    const std::string first =
        alarm.after_mark ? fmt::format("{} after the mark", FormatElapsed(*alarm.after_mark))
                         : Moment(ToMs(*alarm.first));
    table.Row({alarm.name, PurposeName(alarm.purpose), Count(alarm.fired, "time"),
               FormatElapsed(alarm.firing), first,
               Cell(alarm.flaps == 0 ? "" : std::to_string(alarm.flaps), Tone::kWarning),
               alarm.open ? Cell("still open", Tone::kWarning) : Cell("closed")});
  }
  return table.ToString(style);
}

std::string RenderBudgets(const BacktestReport& report, const Style& style) {
  if (report.budgets.empty()) return "";
  Table table({"OBJECTIVE", "ERROR BUDGET AT THE END"});
  for (const auto& [slo, left] : report.budgets) table.Row({slo, left});
  return table.ToString(style) + "\n";
}

struct TimelineRow {
  Instant at;
  std::vector<Cell> cells;
};

// What a person would have been told, with the recording's own marks. Alarms that page nobody are
// left to the table.
std::string RenderTimeline(const BacktestReport& report, const Style& style) {
  std::vector<TimelineRow> rows;
  for (const rehearse::Mark& mark : report.marks) {
    rows.push_back(
        {mark.at, {Cell("mark", Tone::kStrong), Cell(mark.text, Tone::kStrong), "", ""}});
  }
  for (const engine::Transition& told : report.told) {
    if (told.purpose == engine::Purpose::kRecord) continue;
    const bool opens = IsOpen(told.state);
    const std::string value = std::isnan(told.value)
                                  ? ""
                                  : fmt::format("{} ({} {})", FormatValue(told.value, told.unit),
                                                plan::ComparisonSign(told.comparison),
                                                FormatValue(told.threshold, told.unit));
    const std::string to = rehearse::IsPage(told) ? fmt::format("pages {} ({})", told.owner,
                                                                plan::SeverityName(told.severity))
                                                  : "";
    rows.push_back({told.clock,
                    {Cell(engine::AlarmStateName(told.state), opens ? Tone::kBad : Tone::kGood),
                     rehearse::NameWithGroup(told.alarm_id), value, to}});
  }
  if (rows.empty()) return "";
  std::stable_sort(rows.begin(), rows.end(),
                   [](const TimelineRow& a, const TimelineRow& b) { return a.at < b.at; });
  Table table({"TIME", "STATE", "ALARM", "VALUE", "TOLD"});
  for (std::size_t i = 0; i < std::min(rows.size(), kTimelineMax); ++i) {
    std::vector<Cell> cells{Cell(Moment(ToMs(rows[i].at)))};
    cells.insert(cells.end(), rows[i].cells.begin(), rows[i].cells.end());
    table.Row(std::move(cells));
  }
  std::string out = table.ToString(style);
  if (rows.size() > kTimelineMax)
    out += fmt::format("… and {} more; --json has them all\n", rows.size() - kTimelineMax);
  return out;
}

// What the answer above does not cover.
std::string RenderLimits(const BacktestReport& report, const Style& style) {
  std::string out = RenderLogSpan(report, style);
  out += fmt::format(
      "Only what stands in the {} was looked at, by the plan alone: not silences, "
      "acknowledgements\nor repeats that notifier holds back, and nothing before or after it.\n",
      report.log ? "log" : "recording");
  out += fmt::format("Windows that reach back before {} are not judged (the longest is {}).\n",
                     Moment(ToMs(report.from)), FormatDuration(report.longest_window));
  const auto line = [&](const char* what, const std::vector<std::string>& names) {
    if (!names.empty()) out += fmt::format("{}: {}\n", what, Printable(Names(names)));
  };
  line("Nothing can be said of alarms whose metrics are not in it",
       AlarmsWhere(report, [](const AlarmReport& alarm) { return alarm.blind; }));
  line("Metrics in it that nothing in the plan reads", report.unread_metrics);
  std::vector<std::string> services;
  for (const auto& [name, batches] : report.other_services)
    services.push_back(fmt::format("{} ({})", name, Count(batches, "batch record")));
  line("Other services in it", services);
  if (report.points_unit_mismatch > 0) {
    out += Paint(style, Tone::kWarning,
                 fmt::format("{} of a unit that the plan cannot convert counted for nothing",
                             Count(report.points_unit_mismatch, "point"))) +
           "\n";
  }
  return out;
}

ordered_json AsJson(const engine::Transition& told) {
  return {{"at_ms", ToMs(told.clock)},
          {"alarm", rehearse::NameWithGroup(told.alarm_id)},
          {"kind", PurposeName(told.purpose)},
          {"state", engine::AlarmStateName(told.state)},
          {"reason", told.reason},
          {"value", told.value},
          {"unit", told.unit},
          {"threshold", told.threshold},
          {"severity", plan::SeverityName(told.severity)},
          {"owner", told.owner},
          {"page", rehearse::IsPage(told)}};
}

ordered_json AsJson(const AlarmReport& alarm) {
  ordered_json out{{"alarm", alarm.name},  {"kind", PurposeName(alarm.purpose)},
                   {"fired", alarm.fired}, {"firing_ms", alarm.firing.count()},
                   {"flaps", alarm.flaps}, {"open_at_end", alarm.open},
                   {"blind", alarm.blind}};
  if (alarm.first) out["first_ms"] = ToMs(*alarm.first);
  if (alarm.after_mark) {
    out["after_mark_ms"] = alarm.after_mark->count();
    out["mark"] = alarm.mark;
  }
  return out;
}

ordered_json AsJson(const BacktestReport& report, const std::string& file) {
  ordered_json marks = ordered_json::array();
  for (const rehearse::Mark& mark : report.marks)
    marks.push_back({{"at_ms", ToMs(mark.at)}, {"mark", mark.text}});
  ordered_json alarms = ordered_json::array();
  for (const AlarmReport& alarm : report.alarms) alarms.push_back(AsJson(alarm));
  ordered_json told = ordered_json::array();
  for (const engine::Transition& t : report.told) told.push_back(AsJson(t));
  ordered_json out{{"data", file},
                   {"about", report.header.about},
                   {"made_by", report.header.made_by},
                   {"service", report.service},
                   {"from_ms", ToMs(report.from)},
                   {"to_ms", ToMs(report.to)},
                   {"batches", report.batches},
                   {"points", report.points},
                   {"pages", report.pages},
                   {"pages_per_day", report.PagesPerDay()},
                   {"marks", std::move(marks)},
                   {"alarms", std::move(alarms)},
                   {"transitions", std::move(told)},
                   {"points_unit_mismatch", report.points_unit_mismatch},
                   {"unread_metrics", report.unread_metrics},
                   {"other_services", report.other_services},
                   {"longest_window_ms", report.longest_window.count()}};
  for (const auto& [slo, left] : report.budgets) out["budgets"][slo] = left;
  if (report.log) out["log"] = LogSpanJson(report);
  return out;
}

}  // namespace

std::string RenderBacktest(const BacktestReport& report, const std::string& file,
                           const PageCheck* check, const Style& style) {
  std::string out = RenderHead(report, file, style) + "\n" + RenderAlarms(report, style) + "\n" +
                    RenderBudgets(report, style);
  if (const std::string timeline = RenderTimeline(report, style); !timeline.empty())
    out += timeline + "\n";
  out += RenderLimits(report, style);
  if (check == nullptr) return out;
  if (check->empty())
    return out + Paint(style, Tone::kGood, "The pages are those expected.") + "\n";
  return out + Paint(style, Tone::kBad, "The pages are not those expected:") + "\n" +
         RenderDiscrepancies(*check, 2, style);
}

std::string BacktestJson(const BacktestReport& report, const std::string& file,
                         const PageCheck* check) {
  ordered_json document = AsJson(report, file);
  if (check != nullptr) {
    document["as_expected"] = check->empty();
    document["discrepancies"] = DiscrepanciesJson(*check);
  }
  return OneLine(document);
}

}  // namespace liveops::ctl
