#pragma once

#include <string>

#include "common/base/result.h"

namespace liveops {

struct HostPort {
  std::string host;  // an IPv6 address without its brackets
  int port = 0;      // 0..65535
};

// "host:port" or "[v6]:port". kInvalid: it is neither.
Result<HostPort> ParseHostPort(const std::string& address);

}  // namespace liveops
