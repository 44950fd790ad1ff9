#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "common/rpc/server.h"

namespace liveops::rpc {

// Who a verified certificate with this common name and these URI names stands for.
Peer PeerOfNames(std::string_view common_name, std::span<const std::string> uris);

// Whether a peer of these roles may do what asks for `wanted`: operators and approvers may all that
// viewers may.
bool Grants(const std::set<Role>& roles, Role wanted);

}  // namespace liveops::rpc
