#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/bytes.h"

namespace liveops::sketch {

// How many different things were seen, by their 64-bit hashes. Up to kExactMax of them are kept as
// they are: the number is exact. More go into 4096 registers, 4 KB; the number then has a standard
// error of 1.04 / sqrt(4096) = 1.6 %, whatever it is. Mergeable; what it holds depends on what was
// added, not on the order.
//
// Flajolet, Fusy, Gandouet, Meunier: "HyperLogLog: the analysis of a near-optimal cardinality
// estimation algorithm" (AofA 2007), with the estimator of Ertl: "New cardinality estimation
// algorithms for HyperLogLog sketches" (arXiv:1702.01284, 2017), algorithm 6, which needs no table
// of corrections and no other estimator for few. No libm result but sqrt's takes part in it.
class HyperLogLog {
 public:
  static constexpr unsigned kPrecision = 12;
  static constexpr std::size_t kRegisters = std::size_t{1} << kPrecision;
  static constexpr std::size_t kExactMax = 256;
  static constexpr double kStandardError = 1.04 / 64;

  void Add(std::uint64_t hash);
  void Merge(const HyperLogLog& other);

  double Count() const;
  bool empty() const { return hashes_.empty() && registers_.empty(); }
  bool exact() const { return registers_.empty(); }

  void Write(ByteWriter& out) const;
  // False when the bytes are not what Write made.
  bool Read(ByteReader& in);

  friend bool operator==(const HyperLogLog&, const HyperLogLog&) = default;

 private:
  void Register(std::uint64_t hash);
  void Spread();

  std::vector<std::uint64_t> hashes_;    // ascending; empty once there are registers
  std::vector<std::uint8_t> registers_;  // kRegisters of them, or none
};

}  // namespace liveops::sketch
