#include "common/config/references.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

namespace liveops::config {
namespace {

constexpr std::uintmax_t kMaxFileBytes = 1 << 20;

Result<std::string> Substitute(std::string_view reference, const std::string& folder) {
  const std::string_view inner = reference.substr(2, reference.size() - 3);
  if (inner.starts_with("env:") && inner.size() > 4) {
    const std::string variable(inner.substr(4));
    if (const char* value = std::getenv(variable.c_str()); value != nullptr) {
      return std::string(value);
    }
    return NotFoundError("the environment variable " + variable + " is not set");
  }
  if (inner.starts_with("file:") && inner.size() > 5) {
    const std::filesystem::path given{std::string(inner.substr(5))};
    const auto path = given.is_absolute() ? given : std::filesystem::path(folder) / given;
    Result<std::string> content = ReadFile(path.string());
    if (content.ok() && content->ends_with('\n')) content->pop_back();
    return content;
  }
  return InvalidError("expected ${env:NAME} or ${file:path}; a literal ${ is written $${");
}

}  // namespace

Result<std::string> ReadFile(const std::string& path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status))
    return NotFoundError("cannot open " + path + ": no such file");
  if (!std::filesystem::is_regular_file(status) && !std::filesystem::is_fifo(status)) {
    return InvalidError("cannot read " + path + ": not a file");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return InvalidError("cannot open " + path + ": permission denied");
  std::string text;
  char buffer[4096];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMaxFileBytes) return InvalidError(path + " is larger than 1 MiB");
  }
  return text;
}

std::optional<std::string> Expand(const std::string& value, const std::string& folder,
                                  const ReferenceProblem& problem) {
  std::string out;
  bool good = true;
  std::size_t position = 0;
  std::map<std::string, std::size_t> seen;
  while (position < value.size()) {
    const std::size_t dollar = value.find("${", position);
    if (dollar == std::string::npos) break;
    if (dollar > position && value[dollar - 1] == '$') {  // $${ is a literal ${
      out.append(value, position, dollar - 1 - position).append("${");
      position = dollar + 2;
      continue;
    }
    out.append(value, position, dollar - position);
    const std::size_t end = value.find('}', dollar);
    if (end == std::string::npos) {
      problem("${", 0, "\"${\" without its \"}\"; a literal ${ is written $${");
      return std::nullopt;
    }
    const std::string reference = value.substr(dollar, end + 1 - dollar);
    const std::size_t occurrence = seen[reference]++;
    Result<std::string> replacement = Substitute(reference, folder);
    if (replacement.ok()) {
      out += *replacement;
    } else {
      good = false;
      problem(reference, occurrence, replacement.error().message);
    }
    position = end + 1;
  }
  if (!good) return std::nullopt;
  return position < value.size() ? out.append(value, position) : out;
}

}  // namespace liveops::config
