#pragma once

#include <span>
#include <string>
#include <string_view>

#include "common/rpc/server.h"

namespace liveops::rpc {

// Who a verified certificate with this common name and these URI names stands for.
Peer PeerOfNames(std::string_view common_name, std::span<const std::string> uris);

}  // namespace liveops::rpc
