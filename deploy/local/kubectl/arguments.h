#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// kubectl's command line, as far as the stand-in knows it. Errors are kubectl's own words.
namespace liveops::standin {

struct Call {
  std::vector<std::string> words;
  std::map<std::string, std::string> flags;  // long names without dashes
  std::string ns = "default";
  std::vector<std::string> argv;
  std::string state_path;
  std::ostream* out = nullptr;
};

// Words and flags; an unknown flag is an error.
Result<Call> ReadArguments(const std::vector<std::string>& args);

// A flag that is a number of 0 or more.
Result<std::int64_t> NumberFlag(const Call& call, const std::string& name, std::int64_t fallback);

bool IsDeployment(std::string_view kind);

// Reads `deployment/NAME` or `deployment NAME` at words[at]; moves `at` past it.
Result<std::string> DeploymentName(const Call& call, std::size_t& at);

}  // namespace liveops::standin
