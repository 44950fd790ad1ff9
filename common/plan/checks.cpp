#include "common/plan/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/text.h"

namespace liveops::plan {
namespace {

constexpr std::size_t kMaxName = 100;

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string NameFaultOf(std::string_view name, bool upper) {
  if (name.empty()) return "a name is not empty";
  if (name.size() > kMaxName) return "a name has at most 100 characters";
  const auto alphanumeric = [&](char c) {
    return IsLower(c) || IsDigit(c) || (upper && IsUpper(c));
  };
  const bool good = alphanumeric(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
                      return alphanumeric(c) || c == '-' || c == '_' || c == '.';
                    });
  if (good) return "";
  return fmt::format(
      "a name is made of {}letters, digits and - _ . and begins with a letter or digit",
      upper ? "" : "lower-case ");
}

// RFC 1123, as Kubernetes names namespaces (label) and deployments (subdomain: dots too).
bool IsDnsName(std::string_view name, std::size_t limit, bool dots) {
  if (name.empty() || name.size() > limit) return false;
  const auto edge = [](char c) { return IsLower(c) || IsDigit(c); };
  return edge(name.front()) && edge(name.back()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return edge(c) || c == '-' || (dots && c == '.'); });
}

// Refused whatever its place: no argument of ours ever holds them, and one that does is an attempt
// at something else.
std::string ForbiddenText(std::string_view argument) {
  for (const char c : argument) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return "an argument holds a control character";
  }
  for (const std::string_view text : {"$(", "`", "${", ";", "|", "&", ">", "<"}) {
    if (argument.find(text) != std::string_view::npos) {
      return fmt::format("an argument holds \"{}\"; no shell runs here", text);
    }
  }
  return "";
}

std::string TargetFault(std::string_view target) {
  const std::size_t slash = target.find('/');
  const std::string_view kind = target.substr(0, slash);
  if (slash == std::string_view::npos) {
    return fmt::format("found \"{0}\", expected deployment/{0}", Truncate(target, 60));
  }
  if (kind == "statefulset" || kind == "daemonset") {
    return fmt::format("rolling back a {} cannot be run yet, only a deployment", kind);
  }
  if (kind != "deployment") {
    return fmt::format("found \"{}\", expected deployment/NAME", Truncate(target, 60));
  }
  if (!IsDnsName(target.substr(slash + 1), 253, true)) {
    return "a deployment's name is made of lower-case letters, digits, - and .";
  }
  return "";
}

}  // namespace

std::string ServiceNameFault(std::string_view name) { return NameFaultOf(name, true); }
std::string NameFault(std::string_view name) { return NameFaultOf(name, false); }

std::string SlackChannelFault(std::string_view channel) {
  const bool good =
      channel.size() >= 2 && channel.size() <= 80 && channel[0] == '#' &&
      std::none_of(channel.begin() + 1, channel.end(), [](char c) {
        return c == '#' || c == ' ' || c == ',' || static_cast<unsigned char>(c) < 0x20;
      });
  return good ? "" : "a Slack channel is written like \"#oncall\", in quotes";
}

KubectlFault NormalizeKubectl(std::vector<std::string>& arguments) {
  constexpr std::array<std::string_view, 2> kVerb = {"rollout", "undo"};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (std::string fault = ForbiddenText(arguments[i]); !fault.empty()) return {i, fault};
  }
  std::string kind_and_name;
  std::string space;
  std::size_t words = 0;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "-n" || argument == "--namespace" || argument.starts_with("--namespace=")) {
      if (!space.empty()) return {i, "the namespace is given twice"};
      const std::size_t equals = argument.find('=');
      if (equals == std::string::npos && i + 1 == arguments.size()) {
        return {i, fmt::format("expected a namespace after {}", argument)};
      }
      space = equals == std::string::npos ? arguments[++i] : argument.substr(equals + 1);
      if (!IsDnsName(space, 63, false)) {
        return {i, "a namespace is made of lower-case letters, digits and -"};
      }
    } else if (argument.starts_with("-")) {
      if (argument.starts_with("--to-revision")) {
        return {i,
                "the revision is looked up when the rollback is proposed; leave --to-revision out"};
      }
      return {i, fmt::format("the option \"{}\" is not allowed; only -n NAMESPACE is",
                             Truncate(argument, 60))};
    } else if (words < kVerb.size()) {
      if (argument != kVerb[words]) {
        return {i, fmt::format(
                       "found \"{}\", expected \"{}\": only kubectl rollout undo can be run yet",
                       Truncate(argument, 60), kVerb[words])};
      }
      ++words;
    } else if (kind_and_name.empty()) {
      if (std::string fault = TargetFault(argument); !fault.empty()) return {i, fault};
      kind_and_name = argument;
    } else {
      return {i, fmt::format("found \"{}\", expected the end: one target only",
                             Truncate(argument, 60))};
    }
  }
  if (kind_and_name.empty()) {
    return {arguments.empty() ? 0 : arguments.size() - 1,
            "expected [rollout, undo, deployment/NAME]: something is missing"};
  }
  arguments = {"rollout", "undo", kind_and_name};
  if (!space.empty()) arguments.insert(arguments.end(), {"-n", space});
  return {};
}

}  // namespace liveops::plan
