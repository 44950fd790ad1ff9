#include "deploy/local/stack/usage.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace liveops::stack {

Result<double> PssMib(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/smaps_rollup", pid));
  std::string line;
  while (std::getline(in, line)) {
    if (!line.starts_with("Pss:")) continue;
    return std::stod(line.substr(4)) / 1024.0;
  }
  return NotFoundError(fmt::format("no memory figures of process {}", pid));
}

Result<double> CpuSeconds(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(in, text);
  // The second field is the program's name in parentheses, which may hold spaces.
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) return NotFoundError(fmt::format("no figures of process {}", pid));
  std::istringstream fields(text.substr(end + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace liveops::stack
