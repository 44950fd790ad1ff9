#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/rule-evaluation/service/snapshot_store.h"

// For unit tests.
namespace liveops::evaluation {

// SnapshotPort in memory.
class MemoryPort final : public SnapshotPort {
 public:
  Result<std::optional<std::string>> Get(const std::string& key) override {
    if (away) return UnavailableError("away");
    if (before_get) std::exchange(before_get, nullptr)();
    const auto it = values.find(key);
    if (it == values.end()) return std::optional<std::string>();
    return std::optional<std::string>(it->second);
  }
  Status PutChunk(const std::string& key, const std::string& value, Duration) override {
    if (away || chunks_until_away-- == 0) return UnavailableError("away");
    ++puts;
    values.emplace(key, value);
    largest = std::max(largest, value.size());
    return {};
  }
  Result<std::optional<std::string>> CommitManifest(
      const std::string& key, std::int64_t e, std::int64_t o, const std::string& body,
      const std::vector<std::string>& chunks) override {
    if (away) return UnavailableError("away");
    if (manifests.contains(key) && std::pair(e, o) < manifests[key].first) {
      return ConflictError("newer");
    }
    for (const std::string& chunk : chunks) {
      if (!values.contains(chunk)) return NotFoundError("chunk");
    }
    std::optional<std::string> former;
    if (manifests.contains(key)) former = manifests[key].second;
    manifests[key] = {{e, o}, body};
    lasting.insert(chunks.begin(), chunks.end());
    return former;
  }
  Result<std::optional<std::string>> GetManifest(const std::string& key) override {
    if (away) return UnavailableError("away");
    if (before_manifest) std::exchange(before_manifest, nullptr)();
    const auto it = manifests.find(key);
    if (it == manifests.end()) return std::optional<std::string>();
    return std::optional<std::string>(it->second.second);
  }
  Status Remove(const std::vector<std::string>& keys) override {
    for (const std::string& key : keys) {
      values.erase(key);
      lasting.erase(key);
      manifests.erase(key);
    }
    return {};
  }
  Result<bool> RemoveManifest(const std::string& key, const std::string& body,
                              const std::vector<std::string>& chunks) override {
    if (away) return UnavailableError("away");
    const auto it = manifests.find(key);
    if (it == manifests.end() || it->second.second != body) return false;
    manifests.erase(it);
    for (const std::string& chunk : chunks) values.erase(chunk);
    return true;
  }

  std::map<std::string, std::string> values;
  std::map<std::string, std::pair<std::pair<std::int64_t, std::int64_t>, std::string>> manifests;
  std::set<std::string> lasting;  // the others go in time
  std::size_t largest = 0;
  int puts = 0;
  bool away = false;
  int chunks_until_away = -1;
  // Called once, when the next manifest or chunk is asked for.
  std::function<void()> before_manifest;
  std::function<void()> before_get;
};

}  // namespace liveops::evaluation
