#pragma once

#include <string>
#include <vector>

// The commands and options that exist, as plain data: what help, completion and suggestions speak
// of.
namespace liveops::ctl {

enum class ValueKind {
  kNone,    // a flag
  kText,    // anything
  kFile,    // a path
  kChoice,  // one of `choices`
};

struct OptionInfo {
  std::vector<std::string> names;  // with dashes: "-h", "--help"
  std::string description;
  ValueKind value = ValueKind::kNone;
  std::vector<std::string> choices;
};

struct ArgumentInfo {
  std::string name;  // "FILE"
  ValueKind value = ValueKind::kText;
  std::vector<std::string> choices;
};

struct CommandNode {
  std::string name;
  std::string description;
  std::vector<OptionInfo> options;      // its own; those of the root hold for every command
  std::vector<ArgumentInfo> arguments;  // positional
  std::vector<CommandNode> children;
};

}  // namespace liveops::ctl
