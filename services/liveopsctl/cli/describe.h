#pragma once

#include <map>
#include <string>
#include <vector>

#include "services/liveopsctl/cli/tree.h"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

// What CLI11 was told, put into our words.
namespace liveops::ctl {

// Options and arguments whose values are one of a few words; a shell can complete them.
const std::map<std::string, std::vector<std::string>>& Choices();

CommandNode Describe(const CLI::App& app);

// CLI11 says "a subcommand is required" where a word was mistyped: look at what it left over and
// say that instead.
std::string UsageMessage(CLI::App& app, const CLI::ParseError& error);

}  // namespace liveops::ctl
