#include "services/rule-evaluation/codec/explain.h"

#include <cmath>

#include "common/base/text.h"
#include "common/base/time.h"

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
  return "Last value: " + FormatValue(s.value(), s.unit()) + "; the rule is " + threshold +
         "; from " + std::to_string(s.points()) + " events in the window.";
}

std::string TransitionSentence(const v1::AlarmTransition& t) {
  std::string word = "became something else";
  switch (t.state()) {
    case v1::ALARM_STATE_FIRING:
      word = "fired";
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
  std::string out = "Last transition: " + word + " at " + FormatUtc(t.clock_ms()) + " (" +
                    t.reason() + ", step " + std::to_string(t.step()) + " of the episode of " +
                    FormatUtc(t.episode_ms()) + ")";
  if (!std::isnan(t.value())) out += " at " + FormatValue(t.value(), t.unit());
  if (!std::isnan(t.peak()) && t.step() > 0) out += ", peak " + FormatValue(t.peak(), t.unit());
  if (t.duration_ms() > 0) {
    out += ", after " + FormatElapsed(Duration(static_cast<std::int64_t>(t.duration_ms())));
  }
  return out + ".";
}

}  // namespace

std::vector<std::string> ExplainLines(const v1::AlarmStatus& s) {
  std::vector<std::string> lines;
  lines.push_back(StateSentence(s));
  if (!s.explanation().empty()) lines.push_back(s.explanation());
  lines.push_back("Rule: " + s.expression() + " (plan version " + std::to_string(s.plan_version()) +
                  ").");
  lines.push_back(ValueSentence(s));
  const Duration window(static_cast<std::int64_t>(s.window_ms()));
  const Duration hold(static_cast<std::int64_t>(s.hold_ms()));
  std::string windows = "Window: " + FormatDuration(window);
  windows += s.hold_ms() == 0
                 ? "; no hold: it fires at the first true."
                 : "; it fires when true at every judgement for " + FormatDuration(hold) + ".";
  lines.push_back(windows);
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
    lines.push_back(TransitionSentence(s.last_transition()));
    for (const v1::Contribution& top : s.last_transition().top()) {
      lines.push_back("Contributed: " + top.label() + " with " +
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
