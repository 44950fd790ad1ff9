#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/time.h"

// How a small game back end behaves: traffic with noise, and errors, latency and load that depend
// on whether the version which an instance runs is a good one. Seeded: the same seed, instance,
// step and version give the same samples. Pure.
namespace liveops::workload {

enum class Kind { kCounterDelta, kCounterCumulative, kGauge, kObservation };

struct Sample {
  std::string metric;
  Kind kind = Kind::kGauge;
  std::string unit;                                         // UCUM
  std::vector<std::pair<std::string, std::string>> labels;  // beside instance
  double value = 0;
};

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014), and what
// is drawn from it.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next();
  double Uniform();  // [0, 1)
  double Normal(double mean, double deviation);
  double LogNormal(double median, double p95);  // by its quantiles
  std::uint64_t Poisson(double mean);
  std::uint64_t Binomial(std::uint64_t n, double p);

 private:
  std::uint64_t state_;
};

struct ModelOptions {
  std::uint64_t seed = 1;
  std::string service = "backend-api";
  int instances = 3;
  Duration step{5'000};              // domain time that one call of Step covers
  double requests_per_minute = 750;  // of all instances; wanders between 0.8 and 1.2 of it
};

// One instance's process. Not thread-safe.
class InstanceModel {
 public:
  InstanceModel(const ModelOptions& options, int instance);

  // What it measured in the next step, `bad` = it ran the bad version.
  std::vector<Sample> Step(bool bad);
  std::string name() const;  // "backend-api-0"

 private:
  void AddRequests(Random& random, bool bad, std::vector<Sample>& samples) const;
  void AddResources(Random& random, bool bad, std::vector<Sample>& samples) const;
  void AddGame(Random& random, std::vector<Sample>& samples);
  void AddShared(Random& random, bool bad, std::vector<Sample>& samples) const;

  ModelOptions options_;
  int instance_;
  std::uint64_t step_ = 0;
  double choices_total_ = 0;
};

// The tag of an image: "registry/backend-api:2.4.0" -> "2.4.0", "" when there is none.
std::string_view TagOf(std::string_view image);

}  // namespace liveops::workload
