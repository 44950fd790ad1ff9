#pragma once

#include <string>
#include <string_view>

#include "services/liveopsctl/cli/tree.h"

namespace liveops::ctl {

// A completion script for "bash", "zsh" or "fish" (any other word gives ""), complete for the given
// tree: commands at every level, their options and those of the root, choices and files as values.
// Pure.
//   bash: complete -F, bash(1) "Programmable Completion"; zsh: #compdef, zshcompsys(1); fish:
//   complete(1).
std::string CompletionScript(std::string_view shell, const CommandNode& root);

}  // namespace liveops::ctl
