#pragma once

#include <cstdint>
#include <string>

#include "liveops/v1/logs.pb.h"

// One log line as text. Pure.
namespace liveops::ctl {

// `09:15:00.250  ERROR  /pay/:id  card declined`, then what else is worth a look (` 1.2 s query`,
// ` trace 5b8efff798038103…`), with a line end. `time_ms`: real.
std::string RenderLine(const v1::LogRecord& line, std::int64_t time_ms);

// {"time_ms","level","message"[,"endpoint"][,"logger"][,"trace_id"][,"span_id"][,"query_ms"],
// "attributes":{…}}, with a line end; ids in hexadecimal.
std::string LineJson(const v1::LogRecord& line, std::int64_t time_ms);

}  // namespace liveops::ctl
