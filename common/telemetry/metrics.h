#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What a process tells of itself in numbers: one list, from which both GetStatus and /metrics are
// made.
namespace liveops::metrics {

enum class Kind { kCounter, kGauge, kHistogram };
using Labels = std::vector<std::pair<std::string, std::string>>;

// What a Histogram had seen.
struct Distribution {
  std::vector<double> bounds;         // ascending upper bounds
  std::vector<std::uint64_t> counts;  // of each bucket by itself: bounds + 1
  double sum = 0;
};

// One series. Names by Prometheus' conventions (https://prometheus.io/docs/practices/naming/):
// counters end in `_total`, times are seconds.
struct Metric {
  Kind kind = Kind::kGauge;
  std::string name;
  std::string help;    // one sentence; the same for all series of a name
  std::string status;  // its name in GetStatus, the sum of all that have it; "" = not there
  Labels labels;       // in the order in which they were given
  double value = 0;
  Distribution distribution;  // of a histogram, which has no value
};

// Not thread-safe.
class List {
 public:
  // `name` without the prefix that all of the list have.
  explicit List(std::string_view prefix = "liveops_") : prefix_(prefix) {}

  void Counter(std::string_view name, std::string_view help, double value,
               std::string_view status = "", Labels labels = {});
  void Gauge(std::string_view name, std::string_view help, double value,
             std::string_view status = "", Labels labels = {});
  void Histogram(std::string_view name, std::string_view help, Distribution distribution,
                 Labels labels = {});

  const std::vector<Metric>& all() const { return all_; }
  // Those that GetStatus shows.
  std::map<std::string, double> ForStatus() const;

 private:
  std::string prefix_;
  std::vector<Metric> all_;
};

// Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/) of
// the lists together; the series of a name stand together, whichever list they are in.
inline constexpr const char* kTextType = "text/plain; version=0.0.4; charset=utf-8";
std::string ToText(std::span<const List> lists);

// Seconds, in buckets from 0.5 ms to 10 s. Thread-safe, without a lock.
class Seconds {
 public:
  void Observe(double seconds);
  Distribution Read() const;

 private:
  static constexpr std::array<double, 14> kBounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                  0.1,    0.25,  0.5,    1,     2.5,  5,     10};
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<double> sum_{0};
};

}  // namespace liveops::metrics
