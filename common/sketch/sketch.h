#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/base/bytes.h"

namespace liveops::sketch {

// The bounds between which a value of the same bin lies.
struct Bounds {
  double low = 0;
  double high = 0;
};

// A mergeable summary of a distribution: count, sum, least, greatest, and quantiles with a relative
// error of at most 1 % (bins), whatever the values are.
//
// It is a DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
// relative-error guarantees", PVLDB 12(12), 2019) with the linearly interpolated logarithm as its
// mapping: the bin of a value is its exponent and the first six bits of its mantissa, taken by a
// shift of its IEEE bits. So bins are 1/64 of a power of two wide, a bin's middle is off by at most
// 1/128 of the value, and no libm result takes part in it. Bins are kept sparse and sorted; beyond
// kBinsMax the lowest are merged, which keeps high quantiles right.
//
// Weights need not be whole: an explicit histogram's bucket is spread over the bins that it spans.
class Sketch {
 public:
  static constexpr std::size_t kBinsMax = 2048;

  // NaN and infinities are ignored, and so are weights that are not positive.
  void Add(double value, double weight = 1);
  // Count, sum, min and max only: for averages, which need no bins.
  void AddPlain(double value, double weight = 1);

  // An explicit histogram: bucket i holds `counts[i]` observations in (bounds[i-1], bounds[i]], the
  // last those above the last bound. Inside a bucket they are taken as evenly spread; the first
  // bucket begins at 0 when its bound is positive; what lies above the last bound counts as the
  // last bound. `sum` is taken as it is. Ignored when the sizes do not fit or the bounds are not
  // finite and ascending.
  void AddHistogram(std::span<const double> bounds, std::span<const std::uint64_t> counts,
                    double sum);

  void Merge(const Sketch& other);

  double count() const { return count_; }
  double sum() const { return sum_; }
  double min() const { return min_; }  // of an empty sketch: 0
  double max() const { return max_; }
  bool empty() const { return count_ <= 0; }
  std::size_t bins() const { return bins_.size(); }

  // The value of rank ceil(q * count), q in [0, 1]; nothing when there are no bins.
  std::optional<double> Quantile(double q) const;

  // The standard deviation (of the population) of the bins' middles, each within 1 % of its values;
  // nothing when there are no bins.
  std::optional<double> Stddev() const;

  // The bounds of the bin that `value` falls into.
  static Bounds BinOf(double value);

  void Write(ByteWriter& out) const;
  // False when the bytes are not what Write made.
  bool Read(ByteReader& in);

  friend bool operator==(const Sketch&, const Sketch&) = default;

 private:
  struct Bin {
    std::int32_t key = 0;  // 0 for zero, positive for positive values, negative for negative ones;
                           // ordered by value
    double weight = 0;
    friend bool operator==(const Bin&, const Bin&) = default;
  };

  void AddBin(std::int32_t key, double weight);
  void AddRange(double low, double high, double weight);
  void Count(double low, double high, double weight);
  void Collapse();

  std::vector<Bin> bins_;  // ascending keys
  double count_ = 0;
  double sum_ = 0;
  double min_ = 0;
  double max_ = 0;
};

}  // namespace liveops::sketch
