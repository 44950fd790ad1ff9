#include "services/ingest/source/cloudwatch_stream/mapping.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "common/base/text.h"

namespace liveops::ingest::cloudwatch {
namespace {

const std::vector<std::pair<std::string, Statistic>>& Statistics() {
  static const std::vector<std::pair<std::string, Statistic>> words = {
      {"sum", Statistic::kSum},
      {"count", Statistic::kCount},
      {"per_second", Statistic::kPerSecond},
      {"avg", Statistic::kAvg},
      {"min", Statistic::kMin},
      {"max", Statistic::kMax},
      {"distribution", Statistic::kDistribution}};
  return words;
}

Result<Statistic> ReadStatistic(std::string_view word) {
  std::vector<std::string> known;
  for (const auto& [name, statistic] : Statistics()) {
    if (name == word) return statistic;
    known.push_back(name);
  }
  return InvalidError("\"" + std::string(word) + "\" is no statistic" + Suggestion(word, known));
}

// "NAME = STATISTIC [* FACTOR] [in UNIT]"
Result<Output> ReadOutput(std::string_view text) {
  Output out;
  const std::size_t equals = text.find('=');
  out.metric = Trim(text.substr(0, equals));
  if (equals == std::string_view::npos || out.metric.empty())
    return InvalidError("\"" + std::string(text) +
                        "\" is not NAME = STATISTIC [* FACTOR] [in UNIT]");
  std::string_view rest = Trim(text.substr(equals + 1));
  if (const std::size_t in = rest.find(" in "); in != std::string_view::npos) {
    out.unit = Trim(rest.substr(in + 4));
    rest = Trim(rest.substr(0, in));
  }
  if (const std::size_t star = rest.find('*'); star != std::string_view::npos) {
    const std::string_view number = Trim(rest.substr(star + 1));
    const char* const end = number.data() + number.size();
    const auto [stop, error] = std::from_chars(number.data(), end, out.factor);
    if (error != std::errc() || stop != end || !std::isfinite(out.factor) || out.factor <= 0)
      return InvalidError("\"" + std::string(number) + "\" is no factor above 0");
    rest = Trim(rest.substr(0, star));
  }
  const Result<Statistic> statistic = ReadStatistic(rest);
  if (!statistic) return statistic.error();
  out.statistic = *statistic;
  return out;
}

// "NAMESPACE/METRIC{B,A}" with its dimensions in order.
Result<std::string> ReadKey(std::string_view key) {
  const std::size_t brace = key.find('{');
  const std::string_view name = Trim(key.substr(0, brace));
  const std::size_t slash = name.rfind('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == name.size())
    return InvalidError("\"" + std::string(key) + "\" is not NAMESPACE/METRIC{DIMENSION,…}");
  if (brace == std::string_view::npos) return std::string(name);
  if (key.back() != '}') return InvalidError("\"" + std::string(key) + "\" does not end with }");
  const std::string_view inside = key.substr(brace + 1, key.size() - brace - 2);
  std::vector<std::string_view> dimensions;
  if (!Trim(inside).empty()) dimensions = Split(inside, ',');
  for (std::string_view& dimension : dimensions) dimension = Trim(dimension);
  std::sort(dimensions.begin(), dimensions.end());
  std::string out = std::string(name) + "{";
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    if (i > 0) out += ',';
    out += dimensions[i];
  }
  return out + "}";
}

}  // namespace

Status Mapping::Set(std::string_view key, std::string_view outputs) {
  Result<std::string> read = ReadKey(key);
  if (!read) return read.error();
  std::vector<Output> list;
  if (Trim(outputs) != "drop") {
    for (const std::string_view text : Split(outputs, ';')) {
      Result<Output> output = ReadOutput(Trim(text));
      if (!output) return output.error();
      list.push_back(*std::move(output));
    }
  }
  outputs_[*std::move(read)] = std::move(list);
  return {};
}

const std::vector<Output>* Mapping::Find(const Datum& datum) const {
  const std::string name = datum.space + "/" + datum.metric;
  std::string key = name + "{";
  for (std::size_t i = 0; i < datum.dimensions.size(); ++i) {
    if (i > 0) key += ',';
    key += datum.dimensions[i].first;
  }
  key += "}";
  auto found = outputs_.find(key);
  if (found == outputs_.end()) found = outputs_.find(name);
  if (found != outputs_.end()) return &found->second;
  static const std::vector<Output> kElsewhere;
  const auto other = outputs_.lower_bound(name + "{");
  return other != outputs_.end() && other->first.starts_with(name + "{") ? &kElsewhere : nullptr;
}

Status ServiceRules::Set(std::string_view rule, std::string_view service) {
  const std::size_t equals = rule.find('=');
  Rule read;
  read.dimension = Trim(rule.substr(0, equals));
  if (equals == std::string_view::npos || read.dimension.empty() || Trim(service).empty())
    return InvalidError("\"" + std::string(rule) + "\" is not DIMENSION=VALUE: SERVICE");
  std::string_view value = Trim(rule.substr(equals + 1));
  read.beginning = value.ends_with('*');
  if (read.beginning) value.remove_suffix(1);
  read.value = value;
  read.service = Trim(service);
  rules_.push_back(std::move(read));
  // The longest first; of two as long the exact one.
  std::stable_sort(rules_.begin(), rules_.end(), [](const Rule& a, const Rule& b) {
    return std::pair(a.value.size(), !a.beginning) > std::pair(b.value.size(), !b.beginning);
  });
  return {};
}

std::string ServiceRules::Of(const Datum& datum) const {
  for (const Rule& rule : rules_) {
    for (const auto& [name, value] : datum.dimensions) {
      if (name != rule.dimension) continue;
      if (rule.beginning ? value.starts_with(rule.value) : value == rule.value) return rule.service;
    }
  }
  if (datum.space != "AWS/ECS" && datum.space != "ECS/ContainerInsights") return "";
  for (const auto& [name, value] : datum.dimensions) {
    if (name == "ServiceName") return value;
  }
  return "";
}

}  // namespace liveops::ingest::cloudwatch
