#include "common/telemetry/trace.h"

#include <algorithm>
#include <random>

namespace liveops {
namespace {

constexpr std::size_t kTraceDigits = 32;
constexpr std::size_t kSpanDigits = 16;
constexpr std::size_t kHeaderSize = 55;  // "00-" + 32 + "-" + 16 + "-" + 2

std::string RandomHex(std::size_t digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  thread_local std::mt19937_64 engine = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  std::string out(digits, '0');
  while (std::all_of(out.begin(), out.end(),
                     [](char c) { return c == '0'; })) {  // all zero is not an id
    for (std::size_t i = 0; i < digits; i += 16) {
      std::uint64_t bits = engine();
      for (std::size_t j = i; j < std::min(i + 16, digits); ++j, bits >>= 4)
        out[j] = kDigits[bits & 0xf];
    }
  }
  return out;
}

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsId(std::string_view text) {
  return IsLowerHex(text) &&
         !std::all_of(text.begin(), text.end(), [](char c) { return c == '0'; });
}

}  // namespace

std::string TraceContext::ToHeader() const { return "00-" + trace_id + "-" + span_id + "-01"; }

TraceContext NewTrace() { return {RandomHex(kTraceDigits), RandomHex(kSpanDigits)}; }

TraceContext ChildOf(const TraceContext& parent) {
  return {parent.trace_id, RandomHex(kSpanDigits)};
}

std::optional<TraceContext> ParseTraceparent(std::string_view header) {
  if (header.size() < kHeaderSize || header[2] != '-' || header[35] != '-' || header[52] != '-')
    return std::nullopt;
  const std::string_view version = header.substr(0, 2);
  if (!IsLowerHex(version) || version == "ff" || !IsLowerHex(header.substr(53, 2)))
    return std::nullopt;
  // A later version may append fields, the first one may not.
  if (header.size() > kHeaderSize && (version == "00" || header[kHeaderSize] != '-'))
    return std::nullopt;
  const std::string_view trace = header.substr(3, kTraceDigits);
  const std::string_view span = header.substr(36, kSpanDigits);
  if (!IsId(trace) || !IsId(span)) return std::nullopt;
  return TraceContext{std::string(trace), std::string(span)};
}

}  // namespace liveops
