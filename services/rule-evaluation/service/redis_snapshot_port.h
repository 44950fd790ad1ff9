#pragma once

#include "common/redis/redis.h"
#include "services/rule-evaluation/service/snapshot_store.h"

namespace liveops::evaluation {

// SnapshotPort over Redis. The manifest is a hash {epoch, offset, body}, so that the script need
// not read our bytes. Thread-safe.
class RedisSnapshotPort final : public SnapshotPort {
 public:
  explicit RedisSnapshotPort(redis::Client& client) : client_(client) {}

  Result<std::optional<std::string>> Get(const std::string& key) override;
  Status PutChunk(const std::string& key, const std::string& value, Duration lifetime) override;
  Result<std::optional<std::string>> CommitManifest(
      const std::string& manifest_key, std::int64_t epoch, std::int64_t offset,
      const std::string& body, const std::vector<std::string>& chunk_keys) override;
  Result<std::optional<std::string>> GetManifest(const std::string& manifest_key) override;
  Status Remove(const std::vector<std::string>& keys) override;
  Result<bool> RemoveManifest(const std::string& manifest_key, const std::string& body,
                              const std::vector<std::string>& chunk_keys) override;

 private:
  redis::Client& client_;
};

}  // namespace liveops::evaluation
