#pragma once

#include <string>

#include "liveops/v1/alarms.pb.h"
#include "services/liveopsctl/render/text.h"

// Alarms as text. Pure.
namespace liveops::ctl {

// Words that need no colour to be told apart: "FIRING", "NO DATA", "PENDING", …; "critical",
// "high", …
const char* StateWord(v1::AlarmState state);
const char* SeverityWord(v1::Severity severity);

// A table, what needs a person first: firing, no data, pending, then the others; within them by
// severity and id. `open_only` chooses the sentence that stands for an empty one, and names the
// alarms that are blind under it.
std::string RenderAlarms(const v1::ListAlarmsResponse& response, bool open_only,
                         const Style& style);

// The alarms of an answer that are those of objectives, by service: for each what is left of its
// error budget, and whether it burns.
v1::ListAlarmsResponse OfObjectives(const v1::ListAlarmsResponse& response);
std::string RenderSlos(const v1::ListAlarmsResponse& response, const Style& style);

// One line of `alarms watch`.
std::string RenderAlarmLine(const v1::AlarmStatus& alarm, const Style& style);

std::string RenderExplanation(const v1::ExplainAlarmResponse& response, const Style& style);
// Of a moment that has passed.
std::string RenderPast(const v1::PastAlarm& past, const Style& style);

}  // namespace liveops::ctl
