#include "deploy/local/kubectl/arguments.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace liveops::standin {

Result<Call> ReadArguments(const std::vector<std::string>& args) {
  static const std::map<std::string, std::string> kShort = {
      {"-n", "namespace"}, {"-o", "output"}, {"-l", "selector"}};
  static const std::vector<std::string> kValued = {
      "namespace", "output",   "selector",   "to-revision",     "revision",
      "image",     "replicas", "kubeconfig", "request-timeout", "timeout"};
  static const std::vector<std::string> kBare = {"overwrite", "watch", "client", "short"};
  Call call;
  call.argv = args;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string& arg = args[i];
    if (arg.size() < 2 || arg[0] != '-') {
      call.words.push_back(arg);
      continue;
    }
    std::string name = arg.substr(0, arg.find('='));
    std::optional<std::string> value;
    if (name.size() != arg.size()) value = arg.substr(name.size() + 1);
    if (const auto it = kShort.find(name.substr(0, 2)); it != kShort.end()) {
      if (!value && name.size() > 2) value = name.substr(2);  // -njson, as pflag allows
      name = it->second;
    } else {
      if (!name.starts_with("--")) {
        return InvalidError("Error: unknown shorthand flag: '" + name.substr(1, 1) + "' in " + arg);
      }
      name = name.substr(2);
    }
    if (std::find(kBare.begin(), kBare.end(), name) != kBare.end()) {
      call.flags[name] = value.value_or("true");
      continue;
    }
    if (std::find(kValued.begin(), kValued.end(), name) == kValued.end()) {
      return InvalidError("Error: unknown flag: --" + name);
    }
    if (!value) {
      if (i + 1 == args.size()) return InvalidError("Error: flag needs an argument: --" + name);
      value = args[++i];
    }
    call.flags[name] = *value;
  }
  if (const auto it = call.flags.find("namespace"); it != call.flags.end()) call.ns = it->second;
  return call;
}

Result<std::int64_t> NumberFlag(const Call& call, const std::string& name, std::int64_t fallback) {
  const auto it = call.flags.find(name);
  if (it == call.flags.end()) return fallback;
  std::int64_t number = 0;
  const char* end = it->second.data() + it->second.size();
  const auto [stop, error] = std::from_chars(it->second.data(), end, number);
  if (error != std::errc() || stop != end || number < 0) {
    return InvalidError("Error: invalid argument \"" + it->second + "\" for \"--" + name +
                        "\" flag: strconv.ParseInt: parsing \"" + it->second +
                        "\": invalid syntax");
  }
  return number;
}

bool IsDeployment(std::string_view kind) {
  return kind == "deployment" || kind == "deployments" || kind == "deploy" ||
         kind == "deployments.apps" || kind == "deployment.apps";
}

Result<std::string> DeploymentName(const Call& call, std::size_t& at) {
  if (at >= call.words.size()) {
    return InvalidError("error: required resource not specified");
  }
  const std::string& word = call.words[at++];
  const std::size_t slash = word.find('/');
  if (!IsDeployment(std::string_view(word).substr(0, slash))) {
    return InvalidError("error: the server doesn't have a resource type \"" +
                        word.substr(0, slash) + "\"");
  }
  if (slash != std::string::npos) return word.substr(slash + 1);
  if (at >= call.words.size()) {
    return InvalidError("error: resource(s) were provided, but no name was specified");
  }
  return call.words[at++];
}

}  // namespace liveops::standin
