#include "common/base/hash.h"

#include <openssl/evp.h>
#include <xxhash.h>

#include <cstring>
#include <memory>

namespace liveops {

std::uint64_t Xxh64(std::string_view bytes) { return XXH64(bytes.data(), bytes.size(), 0); }

Fingerprint FingerprintOf(std::span<const std::string_view> parts) {
  std::size_t size = 0;
  for (const std::string_view part : parts) size += 8 + part.size();
  char room[1024];  // most series fit
  std::string large;
  if (size > sizeof room) large.resize(size);
  char* const joined = size > sizeof room ? large.data() : room;
  char* at = joined;
  for (const std::string_view part : parts) {
    const std::uint64_t length = part.size();
    for (int shift = 0; shift < 64; shift += 8) *at++ = static_cast<char>(length >> shift);
    if (!part.empty()) std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  const XXH128_hash_t hash = XXH3_128bits(joined, size);
  return {hash.high64, hash.low64};
}

Sha256 Sha256Of(std::span<const std::string_view> parts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> ctx(EVP_MD_CTX_new(),
                                                                    &EVP_MD_CTX_free);
  EVP_DigestInit_ex(ctx.get(), EVP_sha256(), nullptr);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    EVP_DigestUpdate(ctx.get(), parts[i].data(), parts[i].size());
    if (i + 1 < parts.size()) EVP_DigestUpdate(ctx.get(), "\0", 1);
  }
  Sha256 out{};
  EVP_DigestFinal_ex(ctx.get(), out.data(), nullptr);
  return out;
}

Sha256 Sha256Of(std::string_view bytes) { return Sha256Of(std::span(&bytes, 1)); }

std::string Hex(std::span<const std::uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (std::uint8_t b : bytes) {
    out.push_back(kDigits[b >> 4]);
    out.push_back(kDigits[b & 15]);
  }
  return out;
}

std::string Hex(const Sha256& digest) { return Hex(std::span<const std::uint8_t>(digest)); }

std::string_view AsBytes(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::int32_t PartitionOf(std::string_view key, std::int32_t partition_count) {
  return static_cast<std::int32_t>(Xxh64(key) % static_cast<std::uint64_t>(partition_count));
}

std::int32_t SpreadPartitionOf(std::string_view service, const Fingerprint& series, int spread,
                               std::int32_t partition_count) {
  if (spread <= 1) return PartitionOf(service, partition_count);
  const std::uint64_t first = Xxh64(service) % static_cast<std::uint64_t>(partition_count);
  // By the half that no shard looks its series up by: a table whose keys were all chosen by the
  // same low bits would be crowded in a few of its places.
  const std::uint64_t step = series.hi % static_cast<std::uint64_t>(spread);
  return static_cast<std::int32_t>((first + step) % static_cast<std::uint64_t>(partition_count));
}

}  // namespace liveops
