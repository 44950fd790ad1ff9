#include "services/rule-evaluation/codec/explain.h"

#include <algorithm>
#include <cmath>

#include "common/base/text.h"
#include "common/base/time.h"
#include "common/plan/parse.h"
#include "services/rule-evaluation/codec/transition_proto.h"

namespace liveops::evaluation {
namespace {

std::string StateSentence(const v1::AlarmStatus& s) {
  const std::string since = s.since_ms() > 0 ? " since " + FormatUtc(s.since_ms()) : "";
  switch (s.state()) {
    case v1::ALARM_STATE_OK:
      return s.alarm_id() + " is ok" + since + ".";
    case v1::ALARM_STATE_PENDING:
      return s.alarm_id() + " is pending: its condition is true" + since +
             " and its hold still runs.";
    case v1::ALARM_STATE_FIRING:
      return s.alarm_id() + " is firing" + since + ".";
    case v1::ALARM_STATE_NO_DATA:
      return s.alarm_id() + " has no data" + since + ".";
    case v1::ALARM_STATE_STALE:
      return s.alarm_id() + " is stale" + since + ".";
    case v1::ALARM_STATE_BLIND:
      return s.alarm_id() + " is blind: its metric was not seen since plan version " +
             std::to_string(s.plan_version()) + " took force.";
    default:
      return s.alarm_id() + " is closed.";
  }
}

std::string ValueSentence(const v1::AlarmStatus& s) {
  const std::string threshold = s.comparison() + " " + FormatValue(s.threshold(), s.unit());
  if (std::isnan(s.value())) return "There is no value to compare: the rule is " + threshold + ".";
  std::string out =
      "Last value: " + FormatValue(s.value(), s.unit()) + "; the rule is " + threshold;
  // A gauge is read, and rests on no events.
  if (s.points() > 0) out += "; from " + std::to_string(s.points()) + " events in the window";
  return out + ".";
}

std::string RuleSentence(const v1::AlarmStatus& s) {
  return "Rule: " + s.expression() + " (plan version " + std::to_string(s.plan_version()) + ").";
}

// "3 of the last 5 minutes"; "" of a condition without a quorum.
std::string QuorumWords(const v1::AlarmStatus& s) {
  const auto condition = plan::ParseCondition(s.expression());
  if (!condition.ok() || condition->quorum.needed == 0) return "";
  const plan::Quorum& quorum = condition->quorum;
  return std::to_string(quorum.needed) + " of the last " + std::to_string(quorum.of) +
         (quorum.slot == std::chrono::hours(1) ? " hours" : " minutes");
}

std::string WindowSentence(const v1::AlarmStatus& s) {
  const Duration window(static_cast<std::int64_t>(s.window_ms()));
  const Duration hold(static_cast<std::int64_t>(s.hold_ms()));
  if (const std::string quorum = QuorumWords(s); !quorum.empty()) {
    return "Window: " + FormatDuration(window) + "; it fires when true at the ends of " + quorum +
           ".";
  }
  return "Window: " + FormatDuration(window) +
         (s.hold_ms() == 0
              ? "; no hold: it fires at the first true."
              : "; it fires when true at every judgement for " + FormatDuration(hold) + ".");
}

// "fired at …, at 612 ms"
std::string TransitionWords(const v1::AlarmTransition& t) {
  std::string word = "became something else";
  switch (t.state()) {
    case v1::ALARM_STATE_FIRING:
      word = t.reason() == "escalated" ? "became worse"
             : t.reason() == "eased"   ? "became less bad"
                                       : "fired";
      break;
    case v1::ALARM_STATE_STALE:
      word = "became stale, not told again in time";
      break;
    case v1::ALARM_STATE_NO_DATA:
      word = "lost its data";
      break;
    case v1::ALARM_STATE_RESOLVED:
      word = "resolved";
      break;
    case v1::ALARM_STATE_GONE:
      word = "closed, its last series gone";
      break;
    case v1::ALARM_STATE_WITHDRAWN:
      word = "was withdrawn by a plan edit";
      break;
    default:
      break;
  }
  std::string out = word + " at " + FormatUtc(t.clock_ms()) + " (" + t.reason() + ", step " +
                    std::to_string(t.step()) + " of the episode of " + FormatUtc(t.episode_ms()) +
                    ")";
  if (!std::isnan(t.value())) out += " at " + FormatValue(t.value(), t.unit());
  if (!std::isnan(t.peak()) && t.step() > 0) out += ", peak " + FormatValue(t.peak(), t.unit());
  if (t.severity_before() != v1::SEVERITY_UNSPECIFIED) {
    out += std::string(", from ") + plan::SeverityName(SeverityFromProto(t.severity_before())) +
           " to " + plan::SeverityName(SeverityFromProto(t.severity()));
  }
  if (t.swings() > 0) {
    out += ", flapping: opened " + std::to_string(t.swings()) + " times";
  }
  if (t.duration_ms() > 0) {
    out += ", after " + FormatElapsed(Duration(static_cast<std::int64_t>(t.duration_ms())));
  }
  return out;
}

bool Open(v1::AlarmState state) {
  return state == v1::ALARM_STATE_FIRING || state == v1::ALARM_STATE_NO_DATA ||
         state == v1::ALARM_STATE_STALE;
}

// Of a foreign alert: there is no rule of ours, and no value.
void AddForeign(const v1::AlarmStatus& s, std::vector<std::string>& lines) {
  lines.push_back("Judged by others: told by way of " + s.origin() + ", as the alert " +
                  s.name().substr(std::min(s.name().size(), s.origin().size() + 1)) + ".");
  if (!s.link().empty()) lines.push_back("Where it is judged: " + s.link());
  if (s.owner().empty()) {
    lines.push_back("No plan of " + s.service() +
                    " is in force: nobody is paged; it is recorded and shown.");
  }
}

// What the alarm lacked. `s.explanation` says the same of each test where there are several.
std::string MissingSentence(const v1::AlarmStatus& s) {
  const Duration hold(static_cast<std::int64_t>(s.hold_ms()));
  switch (s.state()) {
    case v1::ALARM_STATE_FIRING:
    case v1::ALARM_STATE_NO_DATA:
      return "Nothing was missing: it was open.";
    case v1::ALARM_STATE_PENDING: {
      const Duration held(std::max<std::int64_t>(0, s.watermark_ms() - s.since_ms()));
      return "Missing for it to fire: " + FormatElapsed(std::max(Duration(0), hold - held)) +
             " more of being true; it had been true for " + FormatElapsed(held) + " of " +
             FormatDuration(hold) + ".";
    }
    case v1::ALARM_STATE_BLIND:
      return "Missing for it to fire: any point of its metric.";
    default:
      break;
  }
  if (std::isnan(s.value())) return "Missing for it to fire: a value to compare; see above why.";
  const double gap = std::abs(s.threshold() - s.value());
  const bool upward = s.comparison().starts_with('>');
  const bool beyond = upward ? s.value() > s.threshold() : s.value() < s.threshold();
  if (beyond)
    return "Its value was beyond the threshold, and something else was missing; see above.";
  if (gap == 0) return "Its value is just at the threshold, which does not count as beyond it.";
  std::string then;
  if (const std::string quorum = QuorumWords(s); !quorum.empty()) {
    then = ", at the ends of " + quorum;
  } else if (s.hold_ms() > 0) {
    then = ", and then " + FormatDuration(hold) + " of staying so";
  }
  return "Missing for it to fire: a value " + FormatValue(gap, s.unit()) +
         (upward ? " higher" : " lower") + then + ".";
}

void AddLog(const v1::PastAlarm& past, std::vector<std::string>& lines) {
  lines.push_back(past.has_before()
                      ? "Before, by the log: it " + TransitionWords(past.before()) + "."
                      : "Before, by the log: no transition.");
  lines.push_back(past.has_after() ? "After, by the log: it " + TransitionWords(past.after()) + "."
                                   : "After, by the log: no transition so far.");
}

void AddEvidence(const v1::PastAlarm& past, std::vector<std::string>& lines) {
  if (past.records() == 0) return;
  lines.push_back("Replayed " + std::to_string(past.records()) + " records of partition " +
                  std::to_string(past.source_partition()) + ", offsets " +
                  std::to_string(past.first_offset()) + " to " +
                  std::to_string(past.last_offset()) + ", from " + FormatUtc(past.from_ms()) +
                  " to " + FormatUtc(past.to_ms()) + ".");
  if (past.begins_late()) {
    lines.push_back("Not complete: the log begins then, and " + FormatUtc(past.wanted_ms()) +
                    " was wanted: what reaches back further is not known.");
  }
  if (past.ends_early()) lines.push_back("Not complete: the log ends before that moment.");
  if (past.corrected()) {
    lines.push_back(
        "The replay saw less than was known at the time and left the alarm elsewhere; "
        "the state is what the log says.");
  }
}

}  // namespace

std::vector<std::string> PastLines(const v1::PastAlarm& past) {
  std::vector<std::string> lines;
  if (past.has_alarm()) {
    const v1::AlarmStatus& s = past.alarm();
    lines.push_back("At " + FormatUtc(past.at_ms()) + ": " + StateSentence(s));
    if (!s.explanation().empty()) lines.push_back(s.explanation());
    if (s.origin().empty()) {
      lines.push_back(RuleSentence(s));
      lines.push_back(ValueSentence(s));
      lines.push_back(WindowSentence(s));
      lines.push_back(MissingSentence(s));
    } else {
      AddForeign(s, lines);
    }
    if (s.watermark_ms() > 0)
      lines.push_back("It had been judged up to " + FormatUtc(s.watermark_ms()) + ".");
  } else {
    lines.push_back("What it was at " + FormatUtc(past.at_ms()) +
                    " cannot be replayed: " + past.why_not() + ".");
    for (const std::string& group : past.groups()) lines.push_back("There was: " + group);
    if (past.has_before())
      lines.push_back(Open(past.before().state()) ? "By the log alone, it was open."
                                                  : "By the log alone, it was not open.");
  }
  AddLog(past, lines);
  AddEvidence(past, lines);
  return lines;
}

std::vector<std::string> ExplainLines(const v1::AlarmStatus& s) {
  std::vector<std::string> lines;
  lines.push_back(StateSentence(s));
  if (!s.explanation().empty()) lines.push_back(s.explanation());
  if (s.origin().empty()) {
    lines.push_back(RuleSentence(s));
    lines.push_back(ValueSentence(s));
    lines.push_back(WindowSentence(s));
  } else {
    AddForeign(s, lines);
  }
  const Duration hold(static_cast<std::int64_t>(s.hold_ms()));
  if (s.state() == v1::ALARM_STATE_PENDING && s.hold_ms() > 0 && s.since_ms() > 0) {
    const Duration left = hold - Duration(s.watermark_ms() - s.since_ms());
    if (left > Duration(0)) lines.push_back("The hold ends in " + FormatElapsed(left) + ".");
  }
  if (s.watermark_ms() > 0) {
    lines.push_back("Judged up to " + FormatUtc(s.watermark_ms()) + ", " +
                    FormatElapsed(Duration(s.clock_ms() - s.watermark_ms())) +
                    " behind the partition's clock.");
  }
  if (s.has_last_transition()) {
    lines.push_back("Last transition: " + TransitionWords(s.last_transition()) + ".");
    for (const v1::Contribution& top : s.last_transition().top()) {
      lines.push_back(std::isnan(top.value()) ? "Silent: " + top.label() + "."
                                              : "Contributed: " + top.label() + " with " +
                                                    FormatValue(top.value(), s.unit()) + ".");
    }
    for (const v1::Change& change : s.last_transition().changes()) {
      lines.push_back("Changed before: " + change.description() + " at " +
                      FormatUtc(change.time_ms()) + ".");
    }
  } else {
    lines.push_back("It has had no transition yet.");
  }
  return lines;
}

}  // namespace liveops::evaluation
