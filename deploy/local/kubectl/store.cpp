#include "deploy/local/kubectl/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/base/text.h"

namespace liveops::standin {
namespace {

using Json = nlohmann::json;

std::string Slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

Result<std::string> StatePath(const std::string& kubeconfig) {
  if (kubeconfig.empty()) {
    return UnavailableError(
        "The connection to the server localhost:8080 was refused - did you specify the right host "
        "or port?");
  }
  std::error_code failed;
  if (!std::filesystem::is_regular_file(kubeconfig, failed)) {
    return NotFoundError("error: stat " + kubeconfig + ": no such file or directory");
  }
  const std::string text = Slurp(kubeconfig);
  std::string state;
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_object()) {
    state = json.value("standin-state", "");
  } else {
    constexpr std::string_view kKey = "standin-state:";
    for (const std::string_view line : Split(text, '\n')) {
      if (!Trim(line).starts_with(kKey)) continue;
      std::string_view value = Trim(Trim(line).substr(kKey.size()));
      if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'')) {
        value = value.substr(1, value.size() - 2);
      }
      state = std::string(value);
    }
  }
  if (state.empty()) {
    return InvalidError("error: " + kubeconfig +
                        " has no `standin-state: PATH`: it is not a configuration of this "
                        "stand-in (a real cluster needs the real kubectl)");
  }
  const std::filesystem::path path(state);
  return path.is_absolute() ? state
                            : (std::filesystem::path(kubeconfig).parent_path() / path).string();
}

Result<Store> Store::Open(const std::string& path) {
  const std::string lock = path + ".lock";
  const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return UnavailableError("error: open " + lock + ": " + std::strerror(errno));
  while (::flock(fd, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    const int error = errno;
    ::close(fd);
    return UnavailableError("error: lock " + lock + ": " + std::strerror(error));
  }
  return Store(path, fd);
}

Store::Store(Store&& other) noexcept : path_(std::move(other.path_)), lock_fd_(other.lock_fd_) {
  other.lock_fd_ = -1;
}

Store::~Store() {
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

Result<Json> Store::Load() const {
  if (!std::filesystem::exists(path_)) {
    return Json{{"delay_ms", 0},
                {"delay_after_ms", 0},
                {"deployments", Json::object()},
                {"changes", Json::array()}};
  }
  Json state = Json::parse(Slurp(path_), nullptr, false);
  if (!state.is_object() || !state.value("deployments", Json()).is_object()) {
    return InternalError("error: " + path_ + " is not the state of a cluster");
  }
  return state;
}

Status Store::Save(const Json& state) const {
  const std::string temporary = path_ + ".tmp";  // under the lock there is one writer
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out << state.dump(1) << '\n';
    out.flush();
    if (!out) return UnavailableError("error: write " + temporary + ": " + std::strerror(errno));
  }
  if (std::rename(temporary.c_str(), path_.c_str()) != 0) {
    return UnavailableError("error: rename " + temporary + ": " + std::strerror(errno));
  }
  return {};
}

}  // namespace liveops::standin
