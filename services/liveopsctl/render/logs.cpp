#include "services/liveopsctl/render/logs.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/log_level.h"
#include "common/base/text.h"
#include "services/liveopsctl/render/json.h"
#include "services/liveopsctl/render/samples.h"
#include "services/liveopsctl/render/text.h"

namespace liveops::ctl {
namespace {

std::string LevelOf(const v1::LogRecord& line) {
  return LogLevelName(v1::LogLevel_IsValid(line.level()) ? static_cast<LogLevel>(line.level())
                                                         : LogLevel::kUnknown);
}

}  // namespace

std::string RenderLine(const v1::LogRecord& line, std::int64_t time_ms) {
  std::string level = LevelOf(line);
  std::transform(level.begin(), level.end(), level.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  });
  std::string out = fmt::format("{}  {:<7}  ", TimeOfDayMs(time_ms), level);
  if (!line.endpoint().empty()) out += line.endpoint() + "  ";
  out += line.message();
  if (line.query_ms() > 0) out += fmt::format("  ({} query)", FormatValue(line.query_ms(), "ms"));
  if (!line.trace_id().empty()) out += fmt::format("  trace {}", Hex(line.trace_id()));
  return Printable(out) + "\n";
}

std::string LineJson(const v1::LogRecord& line, std::int64_t time_ms) {
  std::string out = fmt::format("{{\"time_ms\":{},\"level\":\"{}\",\"message\":{}", time_ms,
                                LevelOf(line), JsonString(line.message()));
  const auto add = [&](const char* key, const std::string& text) {
    if (!text.empty()) out += fmt::format(",\"{}\":{}", key, JsonString(text));
  };
  add("endpoint", line.endpoint());
  add("logger", line.logger());
  add("trace_id", Hex(line.trace_id()));
  add("span_id", Hex(line.span_id()));
  if (line.query_ms() > 0) out += fmt::format(",\"query_ms\":{}", line.query_ms());
  out += ",\"attributes\":{";
  const char* separator = "";
  for (const v1::LogAttribute& attribute : line.attributes()) {
    out += separator + JsonString(attribute.name()) + ":" + JsonString(attribute.value());
    separator = ",";
  }
  return out + "}}\n";
}

}  // namespace liveops::ctl
