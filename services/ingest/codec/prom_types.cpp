#include "services/ingest/codec/prom_types.h"

#include <algorithm>
#include <array>
#include <optional>

namespace liveops::ingest {
namespace {

using admit::SeriesKind;

constexpr std::array<std::string_view, 4> kSuffixes = {"_total", "_bucket", "_count", "_sum"};
constexpr std::size_t kFamilyBytesMax = 255;

// The suffix of a counter's name, or "".
std::string_view SuffixOf(std::string_view metric) {
  for (const std::string_view suffix : kSuffixes) {
    if (metric.ends_with(suffix)) return suffix;
  }
  return "";
}

SeriesKind CounterIf(bool counter) {
  return counter ? SeriesKind::kCounterCumulative : SeriesKind::kGauge;
}

// Does a family of this type have series named by it and a suffix?
bool HasParts(PromType type) {
  return type == PromType::kHistogram || type == PromType::kGaugeHistogram ||
         type == PromType::kSummary;
}

// Of a series whose family is of this type; nothing when the type does not say it.
std::optional<SeriesKind> KindOfType(PromType type, std::string_view suffix) {
  switch (type) {
    case PromType::kUnknown:
      return std::nullopt;
    case PromType::kCounter:
      return SeriesKind::kCounterCumulative;
    case PromType::kHistogram:
    case PromType::kSummary:
      return CounterIf(!suffix.empty() && suffix != "_total");
    default:
      return SeriesKind::kGauge;
  }
}

}  // namespace

PromType PromTypes::TypeOf(std::string_view family) const {
  const auto found = families_.find(std::string(family));
  return found == families_.end() ? PromType::kUnknown : found->second;
}

SeriesKind PromTypes::KindOf(std::string_view metric, PromType said) const {
  if (settings_.counters.contains(metric)) return SeriesKind::kCounterCumulative;
  if (settings_.gauges.contains(metric)) return SeriesKind::kGauge;
  const std::string_view suffix = SuffixOf(metric);
  if (const auto kind = KindOfType(said, suffix)) return *kind;
  if (const auto kind = KindOfType(TypeOf(metric), "")) return *kind;
  if (!suffix.empty()) {
    // The family is named without it: a counter's in OpenMetrics, a histogram's, a summary's.
    const std::string_view family = metric.substr(0, metric.size() - suffix.size());
    const PromType type = TypeOf(family);
    if (suffix == "_total" ? type == PromType::kCounter : HasParts(type))
      return *KindOfType(type, suffix);
  }
  return CounterIf(!suffix.empty());
}

bool PromTypes::Learn(std::string_view family, PromType type) {
  if (type == PromType::kUnknown || family.empty() || family.size() > kFamilyBytesMax) return false;
  if (families_.size() >= kFamiliesMax || families_.contains(std::string(family))) return false;
  std::array<std::string, kSuffixes.size() + 1> names;
  std::array<SeriesKind, kSuffixes.size() + 1> before{};
  for (std::size_t i = 0; i < names.size(); ++i) {
    names[i] = std::string(family) + (i == 0 ? "" : std::string(kSuffixes[i - 1]));
    before[i] = KindOf(names[i], PromType::kUnknown);
  }
  families_.emplace(family, type);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (KindOf(names[i], PromType::kUnknown) != before[i]) return true;
  }
  return false;
}

}  // namespace liveops::ingest
