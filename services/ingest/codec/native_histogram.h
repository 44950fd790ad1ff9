#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "services/ingest/codec/exponential_ladder.h"

// Prometheus' native histograms (https://prometheus.io/docs/specs/native_histograms/), which both
// versions of remote write spell alike, as cumulative counts by explicit bounds.
namespace liveops::ingest {

// Exponential buckets lie on the ladders of LaidHistogram. Of float histograms the counts are
// rounded: 0.5 a bucket.
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
  std::string_view ladder() const { return laid_.ladder(); }
  // After Lay.
  std::span<const double> bounds() const { return laid_.bounds(); }
  std::span<const std::uint64_t> counts() const { return laid_.counts(); }
  std::uint64_t count() const { return laid_.total(); }

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
  bool Count(std::int64_t index, bool negative, std::uint64_t count) {
    return negative ? laid_.AddNegative(count) : laid_.Add(index, count);
  }

  double sum_ = 0;
  double count_float_ = 0;
  double zero_threshold_ = 0;
  double zero_count_float_ = 0;
  std::uint64_t count_int_ = 0;
  std::uint64_t zero_count_int_ = 0;
  bool is_float_ = false;
  std::int32_t schema_ = 0;
  std::uint64_t reset_hint_ = 0;
  std::int64_t time_ms_ = 0;
  std::int64_t start_ms_ = 0;
  Side negative_;
  Side positive_;
  std::vector<double> custom_;
  LaidHistogram laid_;
};

}  // namespace liveops::ingest
