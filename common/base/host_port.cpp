#include "common/base/host_port.h"

#include <algorithm>

namespace liveops {

Result<HostPort> ParseHostPort(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::string host;
  std::string port;
  if (colon != std::string::npos) {
    host = address.substr(0, colon);
    port = address.substr(colon + 1);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
      host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string::npos) {
      host.clear();  // an IPv6 address without brackets: which colon is the port's?
    }
  }
  const bool digits =
      !port.empty() && port.size() <= 5 &&
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (host.empty() || !digits || std::stoi(port) > 65535) {
    return InvalidError(
        "\"" + address +
        "\" is not an address; expected host:port, e.g. 127.0.0.1:4317 or [::1]:4317");
  }
  return HostPort{std::move(host), std::stoi(port)};
}

}  // namespace liveops
