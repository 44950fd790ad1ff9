#pragma once

#include <string>

#include "deploy/local/stack/authority.h"

namespace liveops::stack {

// Asks grpc.health.v1.Health/Check of the whole server
// (https://github.com/grpc/grpc/blob/master/doc/health-checking.md) over mTLS; true when it answers
// SERVING within 1 s.
bool HealthServing(const std::string& address, const std::string& ca_file, const Identity& client);

}  // namespace liveops::stack
