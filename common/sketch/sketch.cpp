#include "common/sketch/sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace liveops::sketch {
namespace {

constexpr int kShift = 46;  // 52 bits of mantissa, 6 of them kept

// Values nearer to zero than this are zero: denormals have no relative precision to keep.
constexpr double kTiny = 2.2250738585072014e-308;

std::int32_t KeyOf(double value) {
  const double magnitude = value < 0 ? -value : value;
  if (magnitude < kTiny) return 0;
  const auto key = static_cast<std::int32_t>(std::bit_cast<std::uint64_t>(magnitude) >> kShift);
  return value < 0 ? -key : key;
}

Bounds BoundsOf(std::int32_t key) {
  if (key == 0) return {0, 0};
  const auto index = static_cast<std::uint64_t>(key < 0 ? -key : key);
  const double low = std::bit_cast<double>(index << kShift);
  double high = std::bit_cast<double>((index + 1) << kShift);
  if (!std::isfinite(high)) high = low;
  return key < 0 ? Bounds{-high, -low} : Bounds{low, high};
}

}  // namespace

Bounds Sketch::BinOf(double value) {
  return std::isfinite(value) ? BoundsOf(KeyOf(value)) : Bounds{value, value};
}

void Sketch::AddBin(std::int32_t key, double weight) {
  if (bins_.empty() || bins_.back().key < key) {
    bins_.push_back({key, weight});
  } else {
    const auto it = std::lower_bound(bins_.begin(), bins_.end(), key,
                                     [](const Bin& bin, std::int32_t k) { return bin.key < k; });
    if (it->key == key) {
      it->weight += weight;
    } else {
      bins_.insert(it, {key, weight});
    }
  }
  if (bins_.size() > kBinsMax) Collapse();
}

void Sketch::Collapse() {
  const std::size_t surplus = bins_.size() - kBinsMax;
  double weight = 0;
  for (std::size_t i = 0; i <= surplus; ++i) weight += bins_[i].weight;
  bins_.erase(bins_.begin(), bins_.begin() + static_cast<std::ptrdiff_t>(surplus));
  bins_.front().weight = weight;
}

void Sketch::Count(double low, double high, double weight) {
  if (count_ <= 0) {
    min_ = low;
    max_ = high;
  } else {
    min_ = std::min(min_, low);
    max_ = std::max(max_, high);
  }
  count_ += weight;
}

void Sketch::Add(double value, double weight) {
  if (!std::isfinite(value) || !(weight > 0)) return;
  AddPlain(value, weight);
  AddBin(KeyOf(value), weight);
}

void Sketch::AddPlain(double value, double weight) {
  if (!std::isfinite(value) || !(weight > 0)) return;
  Count(value, value, weight);
  sum_ += value * weight;
}

void Sketch::AddRange(double low, double high, double weight) {
  Count(low, high, weight);
  const double length = high - low;
  if (!(length > 0)) {
    AddBin(KeyOf(high), weight);
    return;
  }
  // Near zero the bins become endless: what lies below a thousandth of the bucket's reach is one
  // bin.
  const double floor = std::max(std::fabs(low), std::fabs(high)) / 1024;
  double at = low;
  while (at < high) {
    double next = high;
    std::int32_t key = 0;
    if (at < -floor) {
      // A bin of negative values ends at the bound nearer to zero, which belongs to the next bin.
      const Bounds bin = BoundsOf(KeyOf(at));
      key = KeyOf(at);
      next = std::min({high, bin.high > at ? bin.high : std::nextafter(at, 0.0), -floor});
    } else if (at < floor) {
      key = low >= 0 ? KeyOf(std::min(floor, high)) : 0;
      next = std::min(high, floor);
    } else {
      key = KeyOf(at);
      next = std::min(high, BoundsOf(key).high);
    }
    if (!(next > at)) next = high;
    AddBin(key, weight * ((next - at) / length));
    at = next;
  }
}

void Sketch::AddHistogram(std::span<const double> bounds, std::span<const std::uint64_t> counts,
                          double sum) {
  if (bounds.empty() || counts.size() != bounds.size() + 1) return;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (!std::isfinite(bounds[i]) || (i > 0 && !(bounds[i] > bounds[i - 1]))) return;
  }
  bool any = false;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    any = true;
    const auto weight = static_cast<double>(counts[i]);
    if (i == bounds.size()) {
      AddRange(bounds.back(), bounds.back(), weight);
    } else if (i == 0) {
      AddRange(std::min(0.0, bounds[0]), bounds[0], weight);
    } else {
      AddRange(bounds[i - 1], bounds[i], weight);
    }
  }
  if (any && std::isfinite(sum)) sum_ += sum;
}

void Sketch::Merge(const Sketch& other) {
  if (other.empty()) return;
  Count(other.min_, other.max_, other.count_);
  sum_ += other.sum_;
  if (other.bins_.empty()) return;
  std::vector<Bin> merged;
  merged.reserve(bins_.size() + other.bins_.size());
  auto a = bins_.begin();
  auto b = other.bins_.begin();
  while (a != bins_.end() || b != other.bins_.end()) {
    if (b == other.bins_.end() || (a != bins_.end() && a->key < b->key)) {
      merged.push_back(*a++);
    } else if (a == bins_.end() || b->key < a->key) {
      merged.push_back(*b++);
    } else {
      merged.push_back({a->key, a->weight + b->weight});
      ++a;
      ++b;
    }
  }
  bins_ = std::move(merged);
  if (bins_.size() > kBinsMax) Collapse();
}

std::optional<double> Sketch::Quantile(double q) const {
  if (bins_.empty()) return std::nullopt;
  double total = 0;
  for (const Bin& bin : bins_) total += bin.weight;
  // Fractions of buckets do not add up exactly: a hair less than the rank is the rank.
  const double rank = std::clamp(q, 0.0, 1.0) * total * (1 - 1e-12);
  double before = 0;
  for (const Bin& bin : bins_) {
    before += bin.weight;
    if (before >= rank) {
      const Bounds bounds = BoundsOf(bin.key);
      return std::clamp(bounds.low + (bounds.high - bounds.low) / 2, min_, max_);
    }
  }
  return max_;
}

std::optional<double> Sketch::Stddev() const {
  const auto middle = [&](const Bin& bin) {
    const Bounds bounds = BoundsOf(bin.key);
    return std::clamp(bounds.low + (bounds.high - bounds.low) / 2, min_, max_);
  };
  double total = 0;
  double mean = 0;
  double squares = 0;
  for (const Bin& bin : bins_) {
    total += bin.weight;
    const double off = middle(bin) - mean;
    mean += off * (bin.weight / total);
    squares += bin.weight * off * (middle(bin) - mean);
  }
  return total > 0 ? std::optional(std::sqrt(squares / total)) : std::nullopt;
}

void Sketch::Write(ByteWriter& out) const {
  out.Double(count_);
  out.Double(sum_);
  out.Double(min_);
  out.Double(max_);
  out.Varint(bins_.size());
  std::int32_t last = 0;
  for (const Bin& bin : bins_) {
    out.Signed(static_cast<std::int64_t>(bin.key) - last);
    out.Double(bin.weight);
    last = bin.key;
  }
}

bool Sketch::Read(ByteReader& in) {
  count_ = in.Double();
  sum_ = in.Double();
  min_ = in.Double();
  max_ = in.Double();
  const std::uint64_t size = in.Varint();
  if (size > kBinsMax) return false;
  bins_.clear();
  bins_.reserve(size);
  std::int64_t key = 0;
  for (std::uint64_t i = 0; i < size && in.ok(); ++i) {
    const std::int64_t step = in.Signed();
    if (i > 0 && step <= 0) return false;
    key += step;
    if (key < INT32_MIN || key > INT32_MAX) return false;
    bins_.push_back({static_cast<std::int32_t>(key), in.Double()});
  }
  return in.ok();
}

}  // namespace liveops::sketch
