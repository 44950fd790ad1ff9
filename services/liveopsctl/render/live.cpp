#include "services/liveopsctl/render/live.h"

#include <fmt/format.h>

#include <cmath>

#include "common/base/text.h"
#include "services/liveopsctl/render/rehearsal_parts.h"
#include "services/liveopsctl/render/table.h"

namespace liveops::ctl {
namespace {

using engine::AlarmState;
using nlohmann::ordered_json;
using rehearse::BacktestReport;
using rehearse::LiveAlarm;
using rehearse::LiveMetric;
using rehearse::LiveReport;

Cell Now(const LiveAlarm& alarm) {
  const std::string of =
      alarm.groups > 1 ? fmt::format(" ({} of {})", alarm.open, alarm.groups) : "";
  switch (alarm.now) {
    case AlarmState::kFiring:
      return {"would fire" + of, Tone::kBad};
    case AlarmState::kNoData:
      return {"would fire: no data" + of, Tone::kBad};
    case AlarmState::kPending:
      return {"true, its hold runs", Tone::kWarning};
    case AlarmState::kBlind:
      return {"blind", Tone::kWarning};
    default:
      return {"quiet", Tone::kGood};
  }
}

std::string MetricText(const LiveMetric& metric, Instant end) {
  if (!metric.seen) {
    return fmt::format(
        "{} was never seen{}", metric.name,
        metric.nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", metric.nearest));
  }
  const std::string ago = FormatElapsed(end - metric.seen->last) + " ago";
  return metric.vanished ? fmt::format("{} has vanished, last seen {}", metric.name, ago)
                         : fmt::format("{} {}", metric.name, ago);
}

std::string Rate(double per_day) { return FormatNumber(std::round(per_day * 100) / 100); }

// What a person must look at: what an alarm lacks, and why it would fire.
std::string Notes(const LiveReport& live, Instant end, const Style& style) {
  std::string out;
  for (const LiveAlarm& alarm : live.alarms) {
    std::string why;
    for (const LiveMetric& metric : alarm.metrics) {
      if (metric.seen && !metric.vanished) continue;
      why += (why.empty() ? "" : ", ") + MetricText(metric, end);
    }
    if (alarm.blind())
      why = "it cannot fire: " + (why.empty() ? alarm.explanation : why);
    else if (alarm.open > 0 || alarm.now == AlarmState::kPending)
      why += (why.empty() ? "" : "; ") + alarm.explanation;
    if (why.empty()) continue;
    out += fmt::format("  {}  {}\n", Paint(style, Tone::kStrong, Printable(alarm.name)),
                       Printable(why));
  }
  return out;
}

ordered_json AsJson(const LiveMetric& metric) {
  ordered_json out{{"metric", metric.name}, {"seen", metric.seen.has_value()}};
  if (metric.seen) {
    out["first_ms"] = ToMs(metric.seen->first);
    out["last_ms"] = ToMs(metric.seen->last);
    out["vanished"] = metric.vanished;
  } else if (!metric.nearest.empty()) {
    out["nearest"] = metric.nearest;
  }
  return out;
}

ordered_json AsJson(const LiveAlarm& alarm) {
  ordered_json metrics = ordered_json::array();
  for (const LiveMetric& metric : alarm.metrics) metrics.push_back(AsJson(metric));
  return {{"alarm", alarm.name},
          {"kind", PurposeName(alarm.purpose)},
          {"now", engine::AlarmStateName(alarm.now)},
          {"blind", alarm.blind()},
          {"explanation", alarm.explanation},
          {"groups", alarm.groups},
          {"would_fire_now", alarm.open},
          {"fired", alarm.fired},
          {"fired_per_day", alarm.fired_per_day},
          {"metrics", std::move(metrics)}};
}

}  // namespace

std::string RenderLive(const LiveReport& live, const BacktestReport& report,
                       const std::string& file, const Style& style) {
  std::string out =
      fmt::format("{} against what {} sent\n", Paint(style, Tone::kStrong, Printable(file)),
                  Printable(report.service));
  Table table({"ALARM", "KIND", "NOW", "FIRED", "A DAY", "LAST SEEN"});
  for (const LiveAlarm& alarm : live.alarms) {
    std::string seen;
    for (const LiveMetric& metric : alarm.metrics)
      seen += (seen.empty() ? "" : ", ") + MetricText(metric, report.to);
    table.Row({alarm.name, PurposeName(alarm.purpose), Now(alarm),
               alarm.fired == 0 ? Cell("") : Cell(Count(alarm.fired, "time")),
               Rate(alarm.fired_per_day),
               Cell(seen, alarm.vanished() ? Tone::kWarning : Tone::kPlain)});
  }
  out += table.ToString(style);
  if (const std::string notes = Notes(live, report.to, style); !notes.empty())
    out += "To look at:\n" + notes;
  out += fmt::format("{} in {}: {} a day at this rate.\n", Count(report.pages, "page"),
                     FormatElapsed(report.to - report.from), Rate(live.pages_per_day));
  return out + RenderLogSpan(report, style);
}

std::string LiveJson(const LiveReport& live, const BacktestReport& report) {
  ordered_json alarms = ordered_json::array();
  for (const LiveAlarm& alarm : live.alarms) alarms.push_back(AsJson(alarm));
  ordered_json out{{"problems", ordered_json::array()},      {"service", report.service},
                   {"from_ms", ToMs(report.from)},           {"to_ms", ToMs(report.to)},
                   {"pages_per_day", live.pages_per_day},    {"alarms", std::move(alarms)},
                   {"unread_metrics", report.unread_metrics}};
  if (report.log) out["log"] = LogSpanJson(report);
  return OneLine(out);
}

}  // namespace liveops::ctl
