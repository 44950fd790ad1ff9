#include "services/ingest/service/rate_settings.h"

#include <charconv>
#include <cmath>
#include <set>

namespace liveops::ingest {
namespace {

constexpr Duration kBurstMin(100);
constexpr Duration kBurstMax(600'000);

double PerSecond(config::Reader& reader, const char* key) {
  const double value = reader.Number(key, 0);
  if (std::isfinite(value) && value >= 0) return value;
  reader.Problem(key, "must be a number a second, or 0 for none");
  return 0;
}

std::map<std::string, double> PerSecondOf(config::Reader& reader, const char* key) {
  std::map<std::string, double> out;
  for (const auto& [name, text] : reader.Map(key)) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value) ||
        value < 0) {
      reader.Problem(key, "that of " + name + " must be a number a second, or 0 for none");
      continue;
    }
    out[name] = value;
  }
  return out;
}

}  // namespace

admit::RateLimits ReadRateLimits(config::Reader& reader) {
  admit::RateLimits out;
  out.all.points_per_second = PerSecond(reader, "limits.points_per_second");
  out.all.bytes_per_second = PerSecond(reader, "limits.bytes_per_second");
  const auto points = PerSecondOf(reader, "limits.points_per_second_of");
  const auto bytes = PerSecondOf(reader, "limits.bytes_per_second_of");
  // Who has one of its own keeps the common other one.
  for (const auto& [name, value] : points) {
    out.of.try_emplace(name, out.all).first->second.points_per_second = value;
  }
  for (const auto& [name, value] : bytes) {
    out.of.try_emplace(name, out.all).first->second.bytes_per_second = value;
  }
  out.burst = reader.Time("limits.burst", out.burst);
  if (out.burst < kBurstMin || out.burst > kBurstMax)
    reader.Problem("limits.burst", "must be between 100ms and 10min");
  return out;
}

}  // namespace liveops::ingest
