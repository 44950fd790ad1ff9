#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Prometheus' native histograms (https://prometheus.io/docs/specs/native_histograms/), which both
// versions of remote write spell alike, as cumulative counts by explicit bounds.
namespace liveops::ingest {

// Exponential buckets are laid on one ladder a schema, so that the counts of a series can be
// compared from point to point: the powers of 2^(2^-schema) from 2^-17 to 2^33 (of seconds: 8 µs to
// 272 years). Schemas above 3 are merged into 3's, exactly: a bound is at most 9.1 % above the one
// before it, and a quantile at most that far from the truth. What lies below the ladder, and below
// zero, counts in the lowest bucket; what lies above in the one without an upper bound.
// Of float histograms the counts are rounded: 0.5 a bucket.
class NativeHistogram {
 public:
  // Reads the message. False: it is malformed.
  bool Read(std::string_view message);

  // What of it is wrong, for a person; nothing when it can be used.
  std::optional<std::string> Lay();

  std::int64_t time_ms() const { return time_ms_; }    // real
  std::int64_t start_ms() const { return start_ms_; }  // likewise; 0 = not said
  double sum() const { return sum_; }
  bool is_gauge() const { return reset_hint_ == 3; }  // no counts since a start
  // Schemas coarser than the usual ladder have their own, and are other series: its number, or "".
  std::string_view ladder() const { return ladder_; }
  // After Lay.
  std::span<const double> bounds() const { return bounds_; }
  std::span<const std::uint64_t> counts() const { return counts_; }
  std::uint64_t count() const { return total_; }

 private:
  struct Span {
    std::int32_t offset = 0;
    std::uint32_t length = 0;
  };
  struct Side {  // negative or positive
    std::vector<Span> spans;
    std::vector<std::int64_t> deltas;
    std::vector<double> counts;
    void Clear();
  };

  bool ReadSpan(std::string_view message, Side& side);
  bool LaySide(const Side& side, bool negative);
  bool Count(std::int64_t index, bool negative, std::uint64_t count);
  std::size_t PlaceOf(std::int64_t index) const;

  double sum_ = 0;
  double count_float_ = 0;
  double zero_threshold_ = 0;
  double zero_count_float_ = 0;
  std::uint64_t count_int_ = 0;
  std::uint64_t zero_count_int_ = 0;
  bool is_float_ = false;
  std::int64_t schema_ = 0;
  std::uint64_t reset_hint_ = 0;
  std::int64_t time_ms_ = 0;
  std::int64_t start_ms_ = 0;
  Side negative_;
  Side positive_;
  std::vector<double> custom_;

  int merged_ = 0;           // levels that schemas above the usual one are merged by
  std::int64_t lowest_ = 0;  // index of the ladder's first bound
  std::string_view ladder_;
  std::span<const double> bounds_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
};

}  // namespace liveops::ingest
