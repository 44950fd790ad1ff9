#include "common/http/address.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace liveops::http {
namespace {

struct Block {
  std::uint32_t network;
  int bits;
  AddressScope scope;
};

constexpr std::uint32_t V4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr std::array kBlocks = {
    Block{V4(0, 0, 0, 0), 8, AddressScope::kUnspecified},
    Block{V4(10, 0, 0, 0), 8, AddressScope::kPrivate},
    Block{V4(100, 64, 0, 0), 10, AddressScope::kPrivate},
    Block{V4(127, 0, 0, 0), 8, AddressScope::kLoopback},
    Block{V4(169, 254, 0, 0), 16, AddressScope::kLinkLocal},
    Block{V4(172, 16, 0, 0), 12, AddressScope::kPrivate},
    Block{V4(192, 0, 0, 0), 24, AddressScope::kReserved},
    Block{V4(192, 0, 2, 0), 24, AddressScope::kReserved},
    Block{V4(192, 168, 0, 0), 16, AddressScope::kPrivate},
    Block{V4(198, 18, 0, 0), 15, AddressScope::kReserved},
    Block{V4(198, 51, 100, 0), 24, AddressScope::kReserved},
    Block{V4(203, 0, 113, 0), 24, AddressScope::kReserved},
    Block{V4(224, 0, 0, 0), 4, AddressScope::kReserved},
    Block{V4(240, 0, 0, 0), 4, AddressScope::kReserved},
};

AddressScope ScopeOfV4(std::uint32_t address) {
  for (const Block& block : kBlocks) {
    if ((address >> (32 - block.bits)) == (block.network >> (32 - block.bits))) return block.scope;
  }
  return AddressScope::kPublic;
}

std::uint32_t V4At(const std::uint8_t* bytes) { return V4(bytes[0], bytes[1], bytes[2], bytes[3]); }

AddressScope ScopeOfV6(const std::uint8_t* b) {
  static constexpr std::uint8_t kZero[16] = {};
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  static constexpr std::uint8_t kNat64[12] = {0, 0x64, 0xff, 0x9b};
  if (std::memcmp(b, kZero, 16) == 0) return AddressScope::kUnspecified;
  if (std::memcmp(b, kZero, 15) == 0 && b[15] == 1) return AddressScope::kLoopback;
  if (std::memcmp(b, kMapped, 12) == 0 || std::memcmp(b, kNat64, 12) == 0) {
    return ScopeOfV4(V4At(b + 12));
  }
  if (std::memcmp(b, kZero, 12) == 0) return ScopeOfV4(V4At(b + 12));  // IPv4-compatible, obsolete
  if (b[0] == 0x20 && b[1] == 0x02) return ScopeOfV4(V4At(b + 2));     // 6to4
  if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) return AddressScope::kLinkLocal;
  if ((b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0xc0)) {
    return AddressScope::kPrivate;
  }
  if (b[0] == 0xff) return AddressScope::kReserved;
  if (b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8) return AddressScope::kReserved;
  return AddressScope::kPublic;
}

}  // namespace

const char* AddressScopeName(AddressScope scope) {
  switch (scope) {
    case AddressScope::kPublic:
      return "public";
    case AddressScope::kLoopback:
      return "loopback";
    case AddressScope::kLinkLocal:
      return "link-local";
    case AddressScope::kPrivate:
      return "private";
    case AddressScope::kUnspecified:
      return "unspecified";
    case AddressScope::kReserved:
      return "reserved";
    case AddressScope::kUnknown:
      return "unknown";
  }
  return "unknown";
}

AddressScope ScopeOf(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    return ScopeOfV4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof v6);
    return ScopeOfV6(v6.sin6_addr.s6_addr);
  }
  return AddressScope::kUnknown;
}

}  // namespace liveops::http
