#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/rpc/certificate_names.h"
#include "common/rpc/server.h"

namespace google::protobuf {
class ServiceDescriptor;
}

// Inside this folder: what the role table means.
namespace liveops::rpc {

// Health and reflection: open to whoever holds a valid certificate.
bool IsOpenService(std::string_view full_name);
bool IsOpenMethod(std::string_view method);

// What a peer lacks for this method: nullopt when it may call it, else the name of the role, or
// "unlisted method".
std::optional<std::string> Lacks(std::string_view method, const std::set<Role>& roles);

// kInvalid, naming the methods, unless RoleTable lists every method of the service.
Status CheckListed(const google::protobuf::ServiceDescriptor& service);

// kInvalid unless every method is for emitters: the only ones whom the plain listener lets in.
Status CheckEmittersOnly(const google::protobuf::ServiceDescriptor& service);

}  // namespace liveops::rpc
