#include "common/sketch/hyperloglog.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace liveops::sketch {
namespace {

// The bits of a hash that are not the number of its register; a register holds the place of the
// first one among them, and one more where there is none.
constexpr unsigned kBits = 64 - HyperLogLog::kPrecision;
constexpr std::uint8_t kHighest = kBits + 1;

double Sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double y = 1;
  double sum = x;
  for (double before = -1; before != sum;) {
    x *= x;
    before = sum;
    sum += x * y;
    y += y;
  }
  return sum;
}

double Tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1;
  double sum = 1 - x;
  for (double before = -1; before != sum;) {
    x = std::sqrt(x);
    before = sum;
    y *= 0.5;
    sum -= (1 - x) * (1 - x) * y;
  }
  return sum / 3;
}

}  // namespace

void HyperLogLog::Register(std::uint64_t hash) {
  const std::uint64_t rest = hash << kPrecision;
  const auto place = static_cast<std::uint8_t>(rest == 0 ? kHighest : std::countl_zero(rest) + 1);
  std::uint8_t& held = registers_[hash >> kBits];
  held = std::max(held, place);
}

void HyperLogLog::Spread() {
  registers_.resize(kRegisters);
  for (const std::uint64_t hash : hashes_) Register(hash);
  hashes_ = {};
}

void HyperLogLog::Add(std::uint64_t hash) {
  if (!exact()) {
    Register(hash);
    return;
  }
  const auto at = std::lower_bound(hashes_.begin(), hashes_.end(), hash);
  if (at != hashes_.end() && *at == hash) return;
  hashes_.insert(at, hash);
  if (hashes_.size() > kExactMax) Spread();
}

void HyperLogLog::Merge(const HyperLogLog& other) {
  if (other.exact()) {
    for (const std::uint64_t hash : other.hashes_) Add(hash);
    return;
  }
  if (exact()) Spread();
  for (std::size_t i = 0; i < kRegisters; ++i) {
    registers_[i] = std::max(registers_[i], other.registers_[i]);
  }
}

double HyperLogLog::Count() const {
  if (exact()) return static_cast<double>(hashes_.size());
  std::array<double, kHighest + 1> holding{};  // registers, by what they hold
  for (const std::uint8_t held : registers_) ++holding[held];
  constexpr auto m = static_cast<double>(kRegisters);
  double z = m * Tau(1 - holding[kHighest] / m);
  for (unsigned k = kBits; k > 0; --k) z = 0.5 * (z + holding[k]);
  z += m * Sigma(holding[0] / m);
  constexpr double kAlpha = 0.7213475204444817;  // 1 / (2 ln 2)
  return std::round(kAlpha * m * m / z);
}

void HyperLogLog::Write(ByteWriter& out) const {
  out.Bool(exact());
  if (!exact()) {
    out.String({reinterpret_cast<const char*>(registers_.data()), registers_.size()});
    return;
  }
  out.Varint(hashes_.size());
  for (const std::uint64_t hash : hashes_) out.Fixed64(hash);
}

bool HyperLogLog::Read(ByteReader& in) {
  hashes_.clear();
  registers_.clear();
  if (!in.Bool()) {
    const std::string_view bytes = in.String();
    if (bytes.size() != kRegisters) return false;
    registers_.assign(bytes.begin(), bytes.end());
    return std::all_of(registers_.begin(), registers_.end(),
                       [](std::uint8_t held) { return held <= kHighest; });
  }
  const std::uint64_t count = in.Varint();
  if (count > kExactMax) return false;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const std::uint64_t hash = in.Fixed64();
    if (!hashes_.empty() && hash <= hashes_.back()) return false;
    hashes_.push_back(hash);
  }
  return in.ok();
}

}  // namespace liveops::sketch
