#include "deploy/local/stack/yaml_text.h"

#include <vector>

#include "common/base/text.h"

namespace liveops::stack {

std::string ToYaml(const Settings& settings) {
  std::string text;
  std::vector<std::string_view> open;  // the path that the last line stands in
  for (const auto& [key, value] : settings) {
    const std::vector<std::string_view> path = Split(key, '.');
    std::size_t shared = 0;
    while (shared < open.size() && shared + 1 < path.size() && open[shared] == path[shared]) {
      ++shared;
    }
    open.resize(shared);
    for (std::size_t depth = shared; depth < path.size(); ++depth) {
      text.append(2 * depth, ' ').append(path[depth]).append(":");
      if (depth + 1 == path.size()) {
        text.append(" ").append(value);
      } else {
        open.push_back(path[depth]);
      }
      text.append("\n");
    }
  }
  return text;
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

}  // namespace liveops::stack
