#include "services/ingest/source/statsd/parser.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "common/base/text.h"

namespace liveops::ingest::statsd {
namespace {

constexpr double kRateMin = 1e-9;           // what one value stands for is still a count
constexpr std::size_t kValuesMax = 10'000;  // of a line; a datagram holds no more

std::optional<double> ReadNumber(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

Verdict ReadType(std::string_view word, Type& type) {
  if (word == "c") return type = Type::kCounter, Verdict::kGood;
  if (word == "g") return type = Type::kGauge, Verdict::kGood;
  if (word == "ms") return type = Type::kTiming, Verdict::kGood;
  if (word == "h" || word == "d") return type = Type::kDistribution, Verdict::kGood;
  return word == "s" ? Verdict::kUnsupported : Verdict::kMalformed;
}

// What stands behind the type.
Verdict ReadField(std::string_view field, Sample& sample) {
  if (field.empty()) return Verdict::kMalformed;
  switch (field.front()) {
    case '@': {
      const auto rate = ReadNumber(field.substr(1));
      if (!rate || *rate < kRateMin || *rate > 1) return Verdict::kMalformed;
      sample.rate = *rate;
      return Verdict::kGood;
    }
    case '#':
      sample.tags = field.substr(1);
      return Verdict::kGood;
    case 'T':
      return Verdict::kUnsupported;
    default:
      return Verdict::kGood;
  }
}

Verdict ReadValue(std::string_view text, Sample& sample) {
  const auto value = ReadNumber(text);
  if (!value) return Verdict::kMalformed;
  sample.value = *value;
  sample.relative = sample.type == Type::kGauge && (text.front() == '+' || text.front() == '-');
  if (sample.type == Type::kCounter && *value < 0) return Verdict::kUnsupported;
  return Verdict::kGood;
}

}  // namespace

Verdict ReadLine(std::string_view line, const std::function<void(const Sample&)>& each) {
  if (line.starts_with("_e{") || line.starts_with("_sc|")) return Verdict::kUnsupported;
  const std::size_t bar = line.find('|');
  const std::size_t colon = line.substr(0, bar).find(':');
  if (bar == std::string_view::npos || colon == std::string_view::npos || colon == 0)
    return Verdict::kMalformed;
  Sample sample;
  sample.name = line.substr(0, colon);
  const std::vector<std::string_view> fields = Split(line.substr(bar + 1), '|');
  if (const Verdict v = ReadType(fields[0], sample.type); v != Verdict::kGood) return v;
  for (std::size_t i = 1; i < fields.size(); ++i) {
    if (const Verdict v = ReadField(fields[i], sample); v != Verdict::kGood) return v;
  }
  const std::vector<std::string_view> values = Split(line.substr(colon + 1, bar - colon - 1), ':');
  if (values.size() > kValuesMax) return Verdict::kMalformed;
  std::vector<Sample> samples;
  samples.reserve(values.size());
  for (const std::string_view value : values) {
    if (const Verdict v = ReadValue(value, sample); v != Verdict::kGood) return v;
    samples.push_back(sample);
  }
  for (const Sample& one : samples) each(one);
  return Verdict::kGood;
}

PacketCount ReadPacket(std::string_view packet, const std::function<void(const Sample&)>& each) {
  PacketCount count;
  const auto counted = [&](const Sample& sample) {
    ++count.values;
    each(sample);
  };
  for (std::string_view line : Split(packet, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const Verdict verdict = ReadLine(line, counted);
    if (verdict == Verdict::kMalformed) ++count.malformed;
    if (verdict == Verdict::kUnsupported) ++count.unsupported;
  }
  return count;
}

Labels ReadTags(std::string_view tags, std::string& service) {
  Labels::Pairs pairs;
  for (const std::string_view tag : Split(tags, ',')) {
    if (tag.empty()) continue;
    const std::size_t colon = tag.find(':');
    const std::string_view name = tag.substr(0, colon);
    const std::string_view value =
        colon == std::string_view::npos ? std::string_view("true") : tag.substr(colon + 1);
    if (name.empty() || value.empty()) continue;
    if (name == "service") {
      service = value;
    } else {
      pairs.emplace_back(name, value);
    }
  }
  return Labels(std::move(pairs));
}

}  // namespace liveops::ingest::statsd
