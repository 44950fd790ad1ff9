#include "services/remediation/action/kubectl/command.h"

#include <algorithm>
#include <charconv>

#include "common/base/text.h"

namespace liveops::remediation {
namespace {

bool IsLabel(std::string_view s) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (s.empty() || s.size() > 63 || !alphanumeric(s.front()) || !alphanumeric(s.back())) {
    return false;
  }
  return std::all_of(s.begin(), s.end(), [&](char c) { return alphanumeric(c) || c == '-'; });
}

// For messages: no control characters, not too long.
std::string Quote(std::string_view s) {
  std::string clean = Truncate(ScrubUtf8(s), 80);
  for (char& c : clean) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return "\"" + clean + "\"";
}

Error Refuse(std::string_view what, std::string_view expected) {
  return InvalidError("kubectl argument " + Quote(what) + " is not allowed; expected " +
                      std::string(expected));
}

}  // namespace

bool IsNamespaceName(std::string_view name) { return IsLabel(name); }

bool IsResourceName(std::string_view name) {
  if (name.size() > 253) return false;
  const auto parts = Split(name, '.');
  return !parts.empty() && std::all_of(parts.begin(), parts.end(), IsLabel);
}

Result<RolloutUndo> ParseRolloutUndo(const std::vector<std::string>& arguments,
                                     const std::string& default_ns) {
  constexpr std::string_view kForm = "rollout undo deployment/NAME [-n NAMESPACE]";
  for (std::size_t i = 0; i < 2; ++i) {
    const char* expected = i == 0 ? "rollout" : "undo";
    if (i >= arguments.size())
      return InvalidError("kubectl arguments end early; expected " + std::string(kForm));
    if (arguments[i] != expected) return Refuse(arguments[i], kForm);
  }
  RolloutUndo undo{default_ns, ""};
  std::size_t i = 2;
  const auto is_kind = [](std::string_view kind) {
    return kind == "deployment" || kind == "deployments" || kind == "deploy";
  };
  if (i < arguments.size()) {
    const std::string& resource = arguments[i++];
    const std::size_t slash = resource.find('/');
    if (!is_kind(std::string_view(resource).substr(0, slash))) return Refuse(resource, kForm);
    if (slash != std::string::npos) {
      undo.name = resource.substr(slash + 1);
    } else if (i < arguments.size()) {
      undo.name = arguments[i++];
    }
  }
  if (!IsResourceName(undo.name)) return Refuse(undo.name, "a Deployment's name");
  if (i < arguments.size()) {
    const std::string& flag = arguments[i++];
    if ((flag == "-n" || flag == "--namespace") && i < arguments.size()) {
      undo.ns = arguments[i++];
    } else if (flag.starts_with("--namespace=")) {
      undo.ns = flag.substr(12);
    } else {
      return Refuse(flag, kForm);
    }
  }
  if (!IsNamespaceName(undo.ns)) return Refuse(undo.ns, "a namespace's name");
  if (i < arguments.size()) return Refuse(arguments[i], kForm);
  return undo;
}

std::vector<std::string> UndoArgv(const RolloutUndo& undo, std::int64_t revision) {
  return {"kubectl", "rollout", "undo", undo.target(), "--to-revision=" + std::to_string(revision),
          "-n",      undo.ns};
}

Result<ResolvedUndo> ParseUndoArgv(const std::vector<std::string>& argv) {
  constexpr std::string_view kFlag = "--to-revision=";
  if (argv.size() != 7 || argv[0] != "kubectl" || !argv[4].starts_with(kFlag) || argv[5] != "-n") {
    return InvalidError("the action's argv is not one that remediation makes");
  }
  ResolvedUndo resolved;
  const std::string_view digits = std::string_view(argv[4]).substr(kFlag.size());
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), resolved.revision);
  if (error != std::errc() || end != digits.data() + digits.size() || resolved.revision < 1) {
    return Refuse(argv[4], "a revision number");
  }
  Result<RolloutUndo> undo =
      ParseRolloutUndo({argv[1], argv[2], argv[3], argv[5], argv[6]}, argv[6]);
  if (!undo.ok()) return undo.error();
  resolved.undo = *undo;
  if (UndoArgv(resolved.undo, resolved.revision) != argv) {
    return InvalidError("the action's argv is not in its canonical form");
  }
  return resolved;
}

}  // namespace liveops::remediation
