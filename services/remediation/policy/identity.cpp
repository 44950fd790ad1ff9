#include "services/remediation/policy/identity.h"

#include <array>

#include "common/base/bytes.h"
#include "common/base/hash.h"

namespace liveops::remediation {

std::string RemediationId(std::string_view alarm_id, Instant episode, std::string_view scenario) {
  const std::string episode_ms = std::to_string(ToMs(episode));
  const std::array<std::string_view, 3> parts = {alarm_id, episode_ms, scenario};
  return Hex(Sha256Of(parts)).substr(0, 32);
}

std::string ActionDigest(const Action& action) {
  ByteWriter out;
  out.String("liveops.action.v1");
  out.String(action.kind);
  out.String(action.target);
  out.String(action.ns);
  out.Varint(action.argv.size());
  for (const std::string& argument : action.argv) out.String(argument);
  for (const auto* pairs : {&action.preconditions, &action.effect}) {
    out.Varint(pairs->size());
    for (const auto& [name, value] : *pairs) {
      out.String(name);
      out.String(value);
    }
  }
  return std::string(AsBytes(Sha256Of(out.bytes())));
}

std::string TargetKey(std::string_view ns, std::string_view target) {
  return std::string(ns) + "/" + std::string(target);
}

std::string ProbeId(std::string_view remediation_id) {
  return std::string(remediation_id) + "/expect";
}

}  // namespace liveops::remediation
