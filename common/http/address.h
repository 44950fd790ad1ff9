#pragma once

struct sockaddr;

namespace liveops::http {

// Where an address leads, after the special-purpose registries of IANA (RFC 6890 and its updates).
enum class AddressScope {
  kPublic,
  kLoopback,     // 127.0.0.0/8, ::1
  kLinkLocal,    // 169.254.0.0/16 (cloud metadata stands there), fe80::/10
  kPrivate,      // RFC 1918, RFC 6598, fc00::/7, …
  kUnspecified,  // 0.0.0.0/8, ::
  kReserved,     // multicast, broadcast, documentation, benchmarks
  kUnknown,      // neither IPv4 nor IPv6
};

// The word for messages, e.g. "link-local".
const char* AddressScopeName(AddressScope scope);

// IPv4 inside IPv6 (mapped, NAT64, 6to4) is judged as the IPv4 address that it leads to. Pure.
AddressScope ScopeOf(const sockaddr* address);

}  // namespace liveops::http
