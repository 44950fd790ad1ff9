#include "services/ingest/source/statsd/aggregator.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace liveops::ingest::statsd {
namespace {

constexpr double kStepsADoubling = 16;

}  // namespace

bool Aggregator::Add(const Sample& sample, SteadyTime now) {
  Key key{settings_.service, std::string(sample.name), sample.type, {}};
  key.labels = ReadTags(sample.tags, key.service);
  auto found = series_.find(key);
  if (found == series_.end()) {
    if (series_.size() >= settings_.series) return false;
    found = series_.try_emplace(std::move(key)).first;
  }
  State& state = found->second;
  state.heard = now;
  switch (sample.type) {
    case Type::kCounter:
      state.value += sample.value / sample.rate;
      return true;
    case Type::kGauge:
      state.value = sample.relative ? state.value + sample.value : sample.value;
      return true;
    case Type::kTiming:
    case Type::kDistribution: {
      const double exponent =
          sample.value > 0 ? std::ceil(std::log2(sample.value) * kStepsADoubling) : kLowest;
      const double bounded = std::clamp<double>(exponent, kLowest, kHighest);
      state.buckets[static_cast<int>(bounded)] += 1 / sample.rate;
      state.sum += sample.value / sample.rate;
      return true;
    }
  }
  return true;
}

std::vector<std::unique_ptr<admit::BatchBuilder>> Aggregator::Flush(SteadyTime since,
                                                                    SteadyTime now) {
  const auto passed = std::chrono::duration_cast<Duration>(now - since).count();
  const auto covered_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(1, passed));
  std::vector<std::unique_ptr<admit::BatchBuilder>> out;
  for (auto at = series_.begin(); at != series_.end();) {
    auto& [key, state] = *at;
    if (now - state.heard >= settings_.forget_after) {
      at = series_.erase(at);
      continue;
    }
    // In the order of the keys those of a service stand together.
    if (out.empty() || out.back()->service() != key.service ||
        out.back()->bytes() >= settings_.batch_bytes)
      out.push_back(std::make_unique<admit::BatchBuilder>(key.service));
    Write(key, state, covered_ms, *out.back());
    ++at;
  }
  std::erase_if(out, [](const auto& batch) { return batch->points() == 0; });
  return out;
}

void Aggregator::Write(const Key& key, State& state, std::uint64_t covered_ms,
                       admit::BatchBuilder& out) {
  switch (key.type) {
    case Type::kCounter:
      out.Point(out.Series(admit::SeriesKind::kCounterDelta, key.name, "", key.labels), state.value,
                covered_ms);
      state.value = 0;
      return;
    case Type::kGauge:
      out.Point(out.Series(admit::SeriesKind::kGauge, key.name, "", key.labels), state.value, 0);
      return;
    case Type::kTiming:
    case Type::kDistribution:
      return WriteDistribution(key, state, covered_ms, out);
  }
}

// Silent ones are written, too: none came.
void Aggregator::WriteDistribution(const Key& key, State& state, std::uint64_t covered_ms,
                                   admit::BatchBuilder& out) {
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;
  std::uint64_t total = 0;
  int last = 0;
  for (const auto& [exponent, weight] : state.buckets) {
    // An empty bucket below says where this one begins.
    if (bounds.empty() || exponent > last + 1) {
      bounds.push_back(std::exp2((exponent - 1) / kStepsADoubling));
      counts.push_back(0);
    }
    bounds.push_back(std::exp2(exponent / kStepsADoubling));
    counts.push_back(static_cast<std::uint64_t>(std::llround(weight)));
    total += counts.back();
    last = exponent;
  }
  counts.push_back(0);  // above the highest
  const bool timing = key.type == Type::kTiming;
  out.HistogramPoint(
      out.Series(admit::SeriesKind::kHistogramDelta, key.name, timing ? "ms" : "", key.labels),
      total, state.sum, std::move(bounds), std::move(counts), covered_ms);
  state.buckets.clear();
  state.sum = 0;
}

}  // namespace liveops::ingest::statsd
