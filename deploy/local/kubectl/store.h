#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "common/base/result.h"

namespace liveops::standin {

// The state file that a configuration file points at. kubectl's words when there is none.
Result<std::string> StatePath(const std::string& kubeconfig);

// The state under an exclusive lock, for the life of the object.
class Store {
 public:
  static Result<Store> Open(const std::string& path);
  Store(Store&& other) noexcept;
  ~Store();

  Result<nlohmann::json> Load() const;             // an empty cluster when there is no file yet
  Status Save(const nlohmann::json& state) const;  // temporary file, then rename

 private:
  Store(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}
  std::string path_;
  int lock_fd_;
};

}  // namespace liveops::standin
