#include "services/liveopsctl/render/alarms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "common/base/text.h"
#include "common/base/time.h"
#include "services/liveopsctl/render/table.h"

namespace liveops::ctl {
namespace {

constexpr int kBlindShown = 10;

Tone StateTone(v1::AlarmState state) {
  switch (state) {
    case v1::ALARM_STATE_FIRING:
    case v1::ALARM_STATE_NO_DATA:
    case v1::ALARM_STATE_STALE:
      return Tone::kBad;
    case v1::ALARM_STATE_PENDING:
    case v1::ALARM_STATE_BLIND:
      return Tone::kWarning;
    case v1::ALARM_STATE_OK:
    case v1::ALARM_STATE_RESOLVED:
      return Tone::kGood;
    default:
      return Tone::kPlain;
  }
}

Tone SeverityTone(v1::Severity severity) {
  return severity == v1::SEVERITY_CRITICAL ? Tone::kStrong : Tone::kPlain;
}

const char* KindWord(v1::Purpose purpose) {
  switch (purpose) {
    case v1::PURPOSE_PAGE:
      return "page";
    case v1::PURPOSE_RECORD:
      return "shadow";
    case v1::PURPOSE_SCENARIO:
      return "scenario";
    case v1::PURPOSE_PROBE:
      return "probe";
    default:
      return "-";
  }
}

// How much it wants a person: smaller is sooner.
int Urgency(v1::AlarmState state) {
  switch (state) {
    case v1::ALARM_STATE_FIRING:
      return 0;
    case v1::ALARM_STATE_NO_DATA:
    case v1::ALARM_STATE_STALE:
      return 1;
    case v1::ALARM_STATE_PENDING:
      return 2;
    case v1::ALARM_STATE_BLIND:
      return 3;
    default:
      return 4;
  }
}

std::string ThresholdText(const v1::AlarmStatus& alarm) {
  if (alarm.comparison().empty() || !alarm.origin().empty()) return "";
  return alarm.comparison() + " " + FormatValue(alarm.threshold(), alarm.unit());
}

const char* KindWord(const v1::AlarmStatus& alarm) {
  return alarm.origin().empty() ? KindWord(alarm.purpose()) : "foreign";
}

std::string SinceText(const v1::AlarmStatus& alarm) {
  return alarm.since_ms() == 0 ? "" : MomentWithAge(alarm.since_ms(), alarm.clock_ms());
}

bool IsOpen(const v1::AlarmStatus& alarm) {
  return alarm.state() == v1::ALARM_STATE_FIRING || alarm.state() == v1::ALARM_STATE_NO_DATA ||
         alarm.state() == v1::ALARM_STATE_STALE;
}

std::string PendingText(const v1::AlarmStatus& alarm) {
  if (alarm.state() != v1::ALARM_STATE_PENDING || alarm.since_ms() == 0) return "";
  const auto held = Duration(std::max<std::int64_t>(0, alarm.watermark_ms() - alarm.since_ms()));
  return fmt::format("{} of {} held", FormatElapsed(held),
                     FormatDuration(Duration(static_cast<std::int64_t>(alarm.hold_ms()))));
}

// Of an alarm that LiveOps judges what it is judged by; of a foreign one who does, and where.
void AddValue(const v1::AlarmStatus& alarm, Facts& facts) {
  if (!alarm.origin().empty()) {
    facts.Add("told by", alarm.origin());
    facts.Add("judged at", alarm.link());
    return;
  }
  facts.Add("condition", alarm.expression());
  const std::string limit = ThresholdText(alarm);
  facts.Add("value", FormatValue(alarm.value(), alarm.unit()) +
                         (limit.empty() ? "" : fmt::format(", judged by {}", limit)));
}

void AddWindow(const v1::AlarmStatus& alarm, Facts& facts) {
  if (!alarm.origin().empty()) {
    facts.Add("last told", MomentWithAge(alarm.heard_ms(), alarm.clock_ms()));
    return;
  }
  const std::string window = FormatDuration(Duration(static_cast<std::int64_t>(alarm.window_ms())));
  // A gauge is read, and rests on no events.
  if (alarm.points() == 0 && std::isfinite(alarm.value())) {
    facts.Add("window", window);
  } else {
    facts.Add("in the window", fmt::format("{} events over {}", alarm.points(), window));
  }
}

// What belongs to the episode: changes before it and what made up the value.
std::string RenderEpisode(const v1::AlarmTransition& t, const Style& style) {
  std::string out;
  if (t.changes_size() > 0)
    out += Paint(style, Tone::kStrong, "What changed in the hour before") + "\n";
  for (const v1::Change& change : t.changes()) {
    out += "  " + MomentWithAge(change.time_ms(), t.clock_ms()) + "  " +
           Printable(change.description()) + "\n";
  }
  if (t.top_size() > 0) out += Paint(style, Tone::kStrong, "Largest contributors") + "\n";
  for (const v1::Contribution& top : t.top()) {
    out += fmt::format("  {}  {}", Printable(top.label()),
                       Printable(FormatValue(top.value(), t.unit())));
    if (top.share() > 0) {
      out += fmt::format(" ({} % of the whole)", FormatNumber(std::round(top.share() * 1000) / 10));
    }
    out += '\n';
  }
  return out;
}

// Those that cannot fire must not be taken for quiet ones.
std::string RenderBlind(const v1::ListAlarmsResponse& response, const Style& style) {
  if (response.blind_size() == 0) return "";
  const bool one = response.blind_size() == 1;
  std::string out = fmt::format(
      "{} alarm{} {} blind and cannot fire: no point of {} metric came since the plan took "
      "force.\n",
      Paint(style, Tone::kWarning, std::to_string(response.blind_size())), one ? "" : "s",
      one ? "is" : "are", one ? "its" : "their");
  for (int i = 0; i < response.blind_size() && i < kBlindShown; ++i)
    out += "  " + Printable(response.blind(i)) + "\n";
  if (response.blind_size() > kBlindShown)
    out += fmt::format("  and {} more: liveopsctl alarms list --all\n",
                       response.blind_size() - kBlindShown);
  return out;
}

}  // namespace

const char* StateWord(v1::AlarmState state) {
  switch (state) {
    case v1::ALARM_STATE_OK:
      return "OK";
    case v1::ALARM_STATE_PENDING:
      return "PENDING";
    case v1::ALARM_STATE_FIRING:
      return "FIRING";
    case v1::ALARM_STATE_NO_DATA:
      return "NO DATA";
    case v1::ALARM_STATE_RESOLVED:
      return "RESOLVED";
    case v1::ALARM_STATE_GONE:
      return "GONE";
    case v1::ALARM_STATE_WITHDRAWN:
      return "WITHDRAWN";
    case v1::ALARM_STATE_BLIND:
      return "BLIND";
    case v1::ALARM_STATE_STALE:
      return "STALE";
    default:
      return "UNKNOWN";
  }
}

const char* SeverityWord(v1::Severity severity) {
  switch (severity) {
    case v1::SEVERITY_CRITICAL:
      return "critical";
    case v1::SEVERITY_HIGH:
      return "high";
    case v1::SEVERITY_MEDIUM:
      return "medium";
    case v1::SEVERITY_LOW:
      return "low";
    default:
      return "-";
  }
}

std::string RenderAlarms(const v1::ListAlarmsResponse& response, bool open_only,
                         const Style& style) {
  const std::string blind = open_only ? RenderBlind(response, style) : "";
  if (response.alarms_size() == 0) {
    return (open_only ? "No open alarms.\n" : "No alarms: no plan is in force.\n") + blind;
  }
  std::vector<const v1::AlarmStatus*> alarms;
  for (const v1::AlarmStatus& alarm : response.alarms()) alarms.push_back(&alarm);
  std::sort(alarms.begin(), alarms.end(), [](const v1::AlarmStatus* a, const v1::AlarmStatus* b) {
    const auto key = [](const v1::AlarmStatus* s) {
      return std::tuple(Urgency(s->state()), static_cast<int>(s->severity()), s->alarm_id());
    };
    return key(a) < key(b);
  });
  Table table({"STATE", "SEVERITY", "ALARM", "VALUE", "THRESHOLD", "SINCE", "KIND", "OWNER",
               "ACKNOWLEDGED"});
  for (const v1::AlarmStatus* alarm : alarms) {
    std::string since = SinceText(*alarm);
    if (const std::string held = PendingText(*alarm); !held.empty()) since += ", " + held;
    if (alarm->swings() > 0) since += fmt::format(", flaps ({} times)", alarm->swings());
    table.Row({{StateWord(alarm->state()), StateTone(alarm->state())},
               {SeverityWord(alarm->severity()), SeverityTone(alarm->severity())},
               {alarm->alarm_id(), IsOpen(*alarm) ? Tone::kStrong : Tone::kPlain},
               FormatValue(alarm->value(), alarm->unit()),
               ThresholdText(*alarm),
               since,
               KindWord(*alarm),
               alarm->owner(),
               alarm->acknowledged_by()});
  }
  return table.ToString(style) + blind;
}

std::string RenderAlarmLine(const v1::AlarmStatus& alarm, const Style& style) {
  const std::string state = fmt::format("{:<9}", StateWord(alarm.state()));
  const std::string severity = fmt::format("{:<8}", SeverityWord(alarm.severity()));
  std::string out = fmt::format(
      "{}  {}  {}  {}  {}", Moment(alarm.clock_ms()), Paint(style, StateTone(alarm.state()), state),
      Paint(style, SeverityTone(alarm.severity()), severity),
      Paint(style, IsOpen(alarm) ? Tone::kStrong : Tone::kPlain, Printable(alarm.alarm_id())),
      Printable(FormatValue(alarm.value(), alarm.unit())));
  if (const std::string limit = ThresholdText(alarm); !limit.empty()) {
    out += " (" + Printable(limit) + ")";
  }
  if (alarm.since_ms() != 0) out += ", since " + MomentWithAge(alarm.since_ms(), alarm.clock_ms());
  if (!alarm.acknowledged_by().empty()) out += ", taken by " + Printable(alarm.acknowledged_by());
  return out + "\n";
}

std::string RenderExplanation(const v1::ExplainAlarmResponse& response, const Style& style) {
  const v1::AlarmStatus& alarm = response.alarm();
  const v1::AlarmTransition& last = alarm.last_transition();
  std::string out =
      fmt::format("{}  {}  {}\n", Paint(style, Tone::kStrong, Printable(alarm.alarm_id())),
                  Paint(style, StateTone(alarm.state()), StateWord(alarm.state())),
                  SeverityWord(alarm.severity()));
  Facts facts;
  facts.Add("summary", last.summary());
  AddValue(alarm, facts);
  facts.Add("since", SinceText(alarm));
  facts.Add("hold", PendingText(alarm));
  if (IsOpen(alarm) && alarm.has_last_transition() && std::isfinite(last.peak())) {
    facts.Add("worst so far", FormatValue(last.peak(), last.unit()));
  }
  if (alarm.swings() > 0) facts.Add("flaps", fmt::format("opened {} times", alarm.swings()));
  if (IsOpen(alarm) && last.severity_before() != v1::SEVERITY_UNSPECIFIED) {
    facts.Add("severity", fmt::format("{}, {} before", SeverityWord(last.severity()),
                                      SeverityWord(last.severity_before())));
  }
  if (alarm.watermark_ms() != 0) {
    facts.Add("judged up to", MomentWithAge(alarm.watermark_ms(), alarm.clock_ms()));
  }
  AddWindow(alarm, facts);
  facts.Add("kind", KindWord(alarm));
  facts.Add("owner", alarm.owner());
  facts.Add("acknowledged", alarm.acknowledged_by().empty() ? "" : "by " + alarm.acknowledged_by());
  facts.Add("runbook", last.runbook());
  facts.Add("plan", fmt::format("version {}", alarm.plan_version()));
  out += facts.ToString(style);
  if (IsOpen(alarm)) out += RenderEpisode(last, style);
  if (response.lines_size() > 0) out += Paint(style, Tone::kStrong, "Why") + "\n";
  for (const std::string& line : response.lines()) out += "  " + Printable(line) + "\n";
  if (response.lines_size() == 0 && !alarm.explanation().empty()) {
    out += Paint(style, Tone::kStrong, "Why") + "\n  " + Printable(alarm.explanation()) + "\n";
  }
  return out;
}

std::string RenderPast(const v1::PastAlarm& past, const Style& style) {
  std::string out = Paint(style, Tone::kStrong, Printable(past.alarm_id())) + "  ";
  if (past.has_alarm()) {
    out += Paint(style, StateTone(past.alarm().state()), StateWord(past.alarm().state()));
  } else {
    out += Paint(style, Tone::kWarning, "NOT KNOWN");
  }
  out += " at " + Moment(past.at_ms()) + "\n";
  if (past.has_alarm()) {
    const v1::AlarmStatus& alarm = past.alarm();
    Facts facts;
    AddValue(alarm, facts);
    facts.Add("since", SinceText(alarm));
    facts.Add("hold", PendingText(alarm));
    AddWindow(alarm, facts);
    out += facts.ToString(style);
  }
  Facts plan;
  if (past.plan_version() != 0) {
    plan.Add("plan",
             fmt::format(
                 "version {}{}", past.plan_version(),
                 past.plan_applied_by().empty() ? "" : ", applied by " + past.plan_applied_by()));
  }
  out += plan.ToString(style);
  if (past.has_alarm() && IsOpen(past.alarm())) out += RenderEpisode(past.before(), style);
  out += Paint(style, Tone::kStrong, "Why") + "\n";
  for (const std::string& line : past.lines()) out += "  " + Printable(line) + "\n";
  return out;
}

}  // namespace liveops::ctl
