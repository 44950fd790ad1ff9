#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

// Logs: one JSON object a line on standard error, by spdlog. A field's value is escaped, so that no
// label or message can forge a line. Thread-safe.
namespace liveops::log {

enum class Level { kDebug, kInfo, kWarn, kError };

// A named value; numbers and booleans stay such in the JSON.
struct Field {
  std::string_view name;
  std::variant<std::string, std::int64_t, double, bool> value;

  Field(std::string_view n, std::string v) : name(n), value(std::move(v)) {}
  Field(std::string_view n, std::string_view v) : name(n), value(std::string(v)) {}
  Field(std::string_view n, const char* v) : name(n), value(std::string(v)) {}
  Field(std::string_view n, std::int64_t v) : name(n), value(v) {}
  Field(std::string_view n, int v) : name(n), value(static_cast<std::int64_t>(v)) {}
  Field(std::string_view n, std::size_t v) : name(n), value(static_cast<std::int64_t>(v)) {}
  Field(std::string_view n, double v) : name(n), value(v) {}
  Field(std::string_view n, bool v) : name(n), value(v) {}
};

// Once, first thing in main. `service` and `instance` stand in every line.
void Init(std::string_view service, std::string_view instance, Level level = Level::kInfo);

// {"time":"…","level":"info","service":"…","instance":"…","event":"alarm_fired","trace_id":"…",…fields}
// `event` is a snake_case word that does not change; what varies goes into fields.
void Write(Level level, std::string_view event, std::initializer_list<Field> fields,
           std::string_view trace_id = "");

inline void Debug(std::string_view event, std::initializer_list<Field> fields = {},
                  std::string_view trace_id = "") {
  Write(Level::kDebug, event, fields, trace_id);
}
inline void Info(std::string_view event, std::initializer_list<Field> fields = {},
                 std::string_view trace_id = "") {
  Write(Level::kInfo, event, fields, trace_id);
}
inline void Warn(std::string_view event, std::initializer_list<Field> fields = {},
                 std::string_view trace_id = "") {
  Write(Level::kWarn, event, fields, trace_id);
}
inline void Error(std::string_view event, std::initializer_list<Field> fields = {},
                  std::string_view trace_id = "") {
  Write(Level::kError, event, fields, trace_id);
}

void Flush();

}  // namespace liveops::log
