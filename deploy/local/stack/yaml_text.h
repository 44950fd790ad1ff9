#pragma once

#include <map>
#include <string>
#include <string_view>

namespace liveops::stack {

// A YAML document from dotted keys: {"kafka.brokers": "x"} gives `kafka:\n  brokers: x`. Values are
// YAML already (see Quoted); no key may be a prefix of another.
using Settings = std::map<std::string, std::string>;
std::string ToYaml(const Settings& settings);

// A YAML double-quoted scalar.
std::string Quoted(std::string_view text);

}  // namespace liveops::stack
