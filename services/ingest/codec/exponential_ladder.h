#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

// Exponential buckets, which Prometheus' native histograms
// (https://prometheus.io/docs/specs/native_histograms/) and OpenTelemetry's exponential histograms
// (https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram) have alike,
// as counts by explicit bounds.
namespace liveops::ingest {

// The label of series whose ladder is not the usual one.
inline constexpr std::string_view kLadderLabel = "native_histogram_schema";

// The buckets of scale s (Prometheus: schema) are bounded by the powers of 2^(2^-s). They are laid
// on one ladder a scale, so that the counts of a series can be compared from point to point: those
// powers from 2^-17 to 2^33 (of seconds: 8 µs to 272 years). Scales above 3 are merged into 3's,
// exactly: a bound is at most 9.1 % above the one before it, and a quantile at most that far from
// the truth. What lies below the ladder, and below zero, counts in the lowest bucket; what lies
// above in the one without an upper bound.
class LaidHistogram {
 public:
  static constexpr int kUsual = 3;
  static constexpr int kCoarsest = -10;  // coarser ones have the same one bound, 1

  // Empty, for the buckets of a scale.
  void Begin(std::int64_t scale);
  // Empty, for buckets with bounds of their own; 0 is the index of the first. Views them.
  void BeginCustom(std::span<const double> bounds);

  // All three: false when all counts together overflow.
  // What lies between this bound of the scale and the one before it.
  bool Add(std::int64_t index, std::uint64_t count);
  bool AddNegative(std::uint64_t count);
  // What is at most so far from zero.
  bool AddZeros(double threshold, std::uint64_t count);

  // Scales coarser than the usual one have their own ladder, and are other series: its number, or
  // "".
  std::string_view ladder() const { return ladder_; }
  // Those of a ladder, and parts of them, hold for ever.
  std::span<const double> bounds() const { return bounds_; }
  std::span<const std::uint64_t> counts() const { return counts_; }  // one more than bounds
  std::uint64_t total() const { return total_; }

  // Of the ladder of a scale: the part outside of which nothing was counted. It is all that a point
  // need say that is not compared with others.
  struct Part {
    std::span<const double> bounds;
    std::span<const std::uint64_t> counts;
  };
  Part Occupied() const;

 private:
  bool AddAt(std::size_t place, std::uint64_t count);

  int merged_ = 0;           // levels that scales above the usual one are merged by
  std::int64_t lowest_ = 0;  // index of the first bound
  std::string_view ladder_;
  std::span<const double> bounds_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
};

}  // namespace liveops::ingest
