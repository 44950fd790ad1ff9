#include "services/ingest/admit/log_line.h"

#include <charconv>
#include <cmath>

#include "common/base/text.h"

namespace liveops::admit {
namespace {

constexpr double kQueryMsMax = 1e12;

// A number and what stands behind it.
std::optional<double> Number(std::string_view& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(value) || value < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return value;
}

std::optional<double> OfPostgres(std::string_view message) {
  constexpr std::string_view kHead = "duration: ";
  constexpr std::string_view kUnit = " ms  ";
  const std::size_t at = message.find(kHead);
  if (at == std::string_view::npos) return std::nullopt;
  message.remove_prefix(at + kHead.size());
  const auto ms = Number(message);
  if (!ms || !message.starts_with(kUnit)) return std::nullopt;
  message.remove_prefix(kUnit.size());
  for (const std::string_view step : {"statement: ", "execute ", "bind ", "parse "}) {
    if (message.starts_with(step)) return ms;
  }
  return std::nullopt;
}

std::optional<double> OfMysql(std::string_view message) {
  constexpr std::string_view kHead = "# Query_time: ";
  const std::size_t at = message.find(kHead);
  if (at == std::string_view::npos || (at > 0 && message[at - 1] != '\n')) return std::nullopt;
  message.remove_prefix(at + kHead.size());
  const auto seconds = Number(message);
  if (!seconds || !Trim(message).starts_with("Lock_time: ")) return std::nullopt;
  return *seconds * 1000;
}

}  // namespace

std::string LogText(std::string_view text, std::size_t bytes_max) {
  // What lies far beyond the cut need not be looked at.
  const std::string_view near = text.substr(0, bytes_max + 4);
  return Truncate(IsValidUtf8(near) ? std::string(near) : ScrubUtf8(near), bytes_max);
}

std::optional<Refusal> CheckLogTime(LogLine& line, const Limits& limits, RealTime clock) {
  const std::int64_t now_ms = ToMs(clock);
  if (line.time_ms == 0) line.time_ms = now_ms;
  std::int64_t ahead_ms = 0;
  if (__builtin_sub_overflow(line.time_ms, now_ms, &ahead_ms))
    return line.time_ms > now_ms ? Refusal::kFuture : Refusal::kTooOld;
  if (ahead_ms > limits.future.count()) return Refusal::kFuture;
  if (ahead_ms < -limits.past.count()) return Refusal::kTooOld;
  return std::nullopt;
}

std::optional<double> SlowQueryMs(std::string_view message) {
  auto ms = OfPostgres(message);
  if (!ms) ms = OfMysql(message);
  return ms && *ms <= kQueryMsMax ? ms : std::nullopt;
}

}  // namespace liveops::admit
