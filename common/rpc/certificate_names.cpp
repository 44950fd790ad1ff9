#include "common/rpc/certificate_names.h"

namespace liveops::rpc {
namespace {

constexpr std::string_view kRolePrefix = "liveops:role:";
constexpr std::string_view kServicePrefix = "liveops:service:";

}  // namespace

Peer PeerOfNames(std::string_view common_name, std::span<const std::string> uris) {
  Peer peer;
  peer.name = common_name;
  for (const std::string_view uri : uris) {
    if (uri.starts_with(kServicePrefix)) peer.services.emplace(uri.substr(kServicePrefix.size()));
    if (!uri.starts_with(kRolePrefix)) continue;
    if (const auto role = ParseRole(uri.substr(kRolePrefix.size()))) peer.roles.insert(*role);
  }
  return peer;
}

}  // namespace liveops::rpc
