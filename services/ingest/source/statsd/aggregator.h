#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/labels.h"
#include "common/base/time.h"
#include "services/ingest/admit/batch_builder.h"
#include "services/ingest/source/statsd/parser.h"

namespace liveops::ingest::statsd {

struct AggregatorSettings {
  std::string service = "statsd";     // of what has no tag `service`
  std::size_t series = 10'000;        // that are remembered; newcomers beyond are refused
  Duration forget_after{300'000};     // steady: without a value
  std::size_t batch_bytes = 400'000;  // beyond it a service's flush goes in several batches
};

// The values since the last flush, by series: counters are summed, and scaled up by their rate; of
// gauges the last reading stands; timings and distributions are counted in buckets whose bounds are
// 2^(1/16) apart, so that a quantile is at most 4.5 % off. A series that gets no value goes on for
// a while, as with StatsD: a counter with 0, a gauge with its reading. Not thread-safe.
class Aggregator {
 public:
  explicit Aggregator(AggregatorSettings settings) : settings_(std::move(settings)) {}

  // False: it is of a new series and there is no room.
  bool Add(const Sample& sample, SteadyTime now);

  // What came since the last one, which was at `since`.
  std::vector<std::unique_ptr<admit::BatchBuilder>> Flush(SteadyTime since, SteadyTime now);

  std::size_t size() const { return series_.size(); }

 private:
  struct Key {
    std::string service;
    std::string name;
    Type type = Type::kCounter;
    Labels labels;
    auto operator<=>(const Key&) const = default;
  };
  struct State {
    SteadyTime heard{};
    double value = 0;               // counters: the sum; gauges: the reading
    std::map<int, double> buckets;  // by exponent: values in (2^((e-1)/16), 2^(e/16)]
    double sum = 0;
  };
  static constexpr int kLowest = -16 * 20;  // what is less counts in this bucket; about 1e-6
  static constexpr int kHighest = 16 * 40;  // likewise; about 1e12

  static void Write(const Key& key, State& state, std::uint64_t covered_ms,
                    admit::BatchBuilder& out);
  static void WriteDistribution(const Key& key, State& state, std::uint64_t covered_ms,
                                admit::BatchBuilder& out);

  const AggregatorSettings settings_;
  std::map<Key, State> series_;
};

}  // namespace liveops::ingest::statsd
