#include "deploy/local/workload/model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/base/hash.h"

namespace liveops::workload {
namespace {

constexpr double kZ95 = 1.6448536269514722;  // of the standard normal distribution

struct Endpoint {
  const char* path;
  double share;    // of all requests
  double bad_5xx;  // share of its requests that fail under the bad version
  double p50_ms, p95_ms;
  double bad_p50_ms, bad_p95_ms;
};

// Under the bad version 8 % of all requests fail, most of them where games are played on; p95 goes
// from about 120 ms to about 900 ms.
constexpr Endpoint kEndpoints[] = {
    {"/games", 0.30, 0.03, 70, 130, 320, 880},
    {"/games/{id}/choices", 0.50, 0.14, 60, 115, 380, 930},
    {"/leaderboard", 0.20, 0.005, 45, 100, 260, 800},
};
constexpr double kGood5xx = 0.0005;
constexpr double k4xx = 0.003;

double WaveOf(std::uint64_t seed, std::uint64_t step) {
  // Two slow waves of different length stand for the crowd's mood; the seed shifts them.
  const double t = static_cast<double>(step) + static_cast<double>(seed % 997);
  return 1 + 0.12 * std::sin(t / 41) + 0.06 * std::sin(t / 11);
}

}  // namespace

std::uint64_t Random::Next() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

double Random::Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

double Random::Normal(double mean, double deviation) {
  const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
  return mean + deviation * radius * std::cos(2 * std::numbers::pi * Uniform());
}

double Random::LogNormal(double median, double p95) {
  return median * std::exp(Normal(0, std::log(p95 / median) / kZ95));
}

std::uint64_t Random::Poisson(double mean) {
  if (mean > 60)
    return static_cast<std::uint64_t>(std::max(0.0, std::round(Normal(mean, std::sqrt(mean)))));
  const double limit = std::exp(-mean);
  std::uint64_t count = 0;
  for (double product = Uniform(); product > limit; product *= Uniform()) ++count;
  return count;
}

std::uint64_t Random::Binomial(std::uint64_t n, double p) {
  std::uint64_t hits = 0;
  for (std::uint64_t i = 0; i < n; ++i) hits += Uniform() < p ? 1 : 0;
  return hits;
}

InstanceModel::InstanceModel(const ModelOptions& options, int instance)
    : options_(options), instance_(instance) {}

std::string InstanceModel::name() const {
  return options_.service + "-" + std::to_string(instance_);
}

std::vector<Sample> InstanceModel::Step(bool bad) {
  const std::string where =
      std::to_string(options_.seed) + "/" + std::to_string(instance_) + "/" + std::to_string(step_);
  Random random(Xxh64(where));
  std::vector<Sample> samples;
  AddRequests(random, bad, samples);
  AddResources(random, bad, samples);
  AddGame(random, samples);
  if (instance_ == 0) AddShared(random, bad, samples);
  ++step_;
  return samples;
}

void InstanceModel::AddRequests(Random& random, bool bad, std::vector<Sample>& samples) const {
  const double minutes = std::chrono::duration<double, std::ratio<60>>(options_.step).count();
  const double mean =
      options_.requests_per_minute * WaveOf(options_.seed, step_) * minutes / options_.instances;
  for (const Endpoint& endpoint : kEndpoints) {
    const std::uint64_t requests = random.Poisson(mean * endpoint.share);
    const std::uint64_t failed = random.Binomial(requests, bad ? endpoint.bad_5xx : kGood5xx);
    const std::uint64_t refused = random.Binomial(requests - failed, k4xx);
    const std::vector<std::pair<std::string, std::string>> labels = {{"endpoint", endpoint.path}};
    const auto counter = [&](const char* metric, std::uint64_t count) {
      samples.push_back({metric, Kind::kCounterDelta, "1", labels, static_cast<double>(count)});
    };
    counter("http_request_count", requests);
    counter("http_5xx_count", failed);
    counter("http_4xx_count", refused);
    for (std::uint64_t i = 0; i < requests; ++i) {
      const double ms = bad ? random.LogNormal(endpoint.bad_p50_ms, endpoint.bad_p95_ms)
                            : random.LogNormal(endpoint.p50_ms, endpoint.p95_ms);
      samples.push_back(
          {"http_request_duration_ms", Kind::kObservation, "ms", labels, std::round(ms * 10) / 10});
    }
  }
}

void InstanceModel::AddResources(Random& random, bool bad, std::vector<Sample>& samples) const {
  const auto percent = [&](const char* metric, double mean, double deviation) {
    const double value = std::clamp(random.Normal(mean, deviation), 0.0, 100.0);
    samples.push_back({metric, Kind::kGauge, "%", {}, std::round(value * 10) / 10});
  };
  percent("cpu_utilization", bad ? 58 : 41, 2.5);
  percent("memory_utilization", bad ? 66 : 62, 0.8);
  // Fills up by about 1 % a day.
  const double days = std::chrono::duration<double, std::ratio<86400>>(options_.step).count() *
                      static_cast<double>(step_);
  percent("disk_utilization", 61.5 + days, 0.05);
}

void InstanceModel::AddGame(Random& random, std::vector<Sample>& samples) {
  const double minutes = std::chrono::duration<double, std::ratio<60>>(options_.step).count();
  const double share = minutes / options_.instances;
  const auto delta = [&](const char* metric, double per_minute) {
    samples.push_back({metric,
                       Kind::kCounterDelta,
                       "1",
                       {},
                       static_cast<double>(random.Poisson(per_minute * share))});
  };
  delta("game_created_count", 14);
  delta("game_ended_count", 13);
  // One that counts on since its process began, as many libraries do.
  choices_total_ += static_cast<double>(random.Poisson(310 * share));
  samples.push_back({"choice_executed_count", Kind::kCounterCumulative, "1", {}, choices_total_});
  samples.push_back(
      {"avg_game_duration_seconds", Kind::kGauge, "s", {}, std::round(random.Normal(842, 12))});
}

// What belongs to the data base and the cache is reported by the first instance.
void InstanceModel::AddShared(Random& random, bool bad, std::vector<Sample>& samples) const {
  const double connections = random.Normal(bad ? 118 : 74, 3);
  samples.push_back({"db_connection_count", Kind::kGauge, "1", {}, std::round(connections)});
  for (int i = 0; i < 6; ++i) {
    samples.push_back({"db_query_duration_ms",
                       Kind::kObservation,
                       "ms",
                       {},
                       std::round(random.LogNormal(bad ? 22 : 6, bad ? 140 : 25) * 10) / 10});
  }
  samples.push_back({"db_deadlock_count", Kind::kCounterDelta, "1", {}, 0});
  samples.push_back({"redis_hit_rate",
                     Kind::kGauge,
                     "%",
                     {},
                     std::round(std::clamp(random.Normal(93, 0.7), 0.0, 100.0) * 10) / 10});
  samples.push_back(
      {"redis_memory_usage", Kind::kGauge, "%", {}, std::round(random.Normal(48, 0.5) * 10) / 10});
}

std::string_view TagOf(std::string_view image) {
  const std::size_t colon = image.rfind(':');
  // A colon before the last slash belongs to the registry's port.
  if (colon == std::string_view::npos || image.find('/', colon) != std::string_view::npos)
    return "";
  return image.substr(colon + 1);
}

}  // namespace liveops::workload
