#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace liveops {

// A 128-bit identity of a series; equal fingerprints are taken as equal series.
struct Fingerprint {
  std::uint64_t hi = 0;
  std::uint64_t lo = 0;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
  friend auto operator<=>(const Fingerprint&, const Fingerprint&) = default;
};

struct FingerprintHash {
  std::size_t operator()(const Fingerprint& f) const { return static_cast<std::size_t>(f.lo); }
};

using Sha256 = std::array<std::uint8_t, 32>;

// xxHash XXH64, seed 0 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md).
std::uint64_t Xxh64(std::string_view bytes);

// XXH3-128, seed 0, over the parts joined by their lengths, so that ("ab","c") and ("a","bc")
// differ.
Fingerprint FingerprintOf(std::span<const std::string_view> parts);

// SHA-256 (FIPS 180-4) over the parts, each followed by a zero byte unless it is the last.
Sha256 Sha256Of(std::span<const std::string_view> parts);
Sha256 Sha256Of(std::string_view bytes);

// Lower-case hexadecimal.
std::string Hex(std::span<const std::uint8_t> bytes);
std::string Hex(const Sha256& digest);
std::string_view AsBytes(const Sha256& digest);

// The one place that says which partition a key of a topic goes to, for every producer.
//   metrics.v1: service; alarms.v1: as its source in metrics.v1; notifications.v1: destination;
//   remediations.v1: target.
std::int32_t PartitionOf(std::string_view key, std::int32_t partition_count);

// A service with `spread: n` takes n partitions: the one chosen by its series.
std::int32_t SpreadPartitionOf(std::string_view service, const Fingerprint& series, int spread,
                               std::int32_t partition_count);

}  // namespace liveops
