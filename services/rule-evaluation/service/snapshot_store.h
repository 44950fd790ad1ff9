#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

namespace liveops::evaluation {

// The few things that snapshots need of Redis, so that their logic can be tried without it. Errors
// as redis::Client's.
class SnapshotPort {
 public:
  virtual ~SnapshotPort() = default;
  virtual Result<std::optional<std::string>> Get(const std::string& key) = 0;
  // Gone after `lifetime` (real time) unless CommitManifest keeps it. One that is there already is
  // left as it is.
  virtual Status PutChunk(const std::string& key, const std::string& value, Duration lifetime) = 0;
  // In one step: unless a manifest with a greater (epoch, offset) stands, makes `body` the manifest
  // and the chunks lasting. Gives the manifest's former body; kConflict: a newer one stands;
  // kNotFound: a chunk has gone meanwhile.
  virtual Result<std::optional<std::string>> CommitManifest(
      const std::string& manifest_key, std::int64_t epoch, std::int64_t offset,
      const std::string& body, const std::vector<std::string>& chunk_keys) = 0;
  virtual Result<std::optional<std::string>> GetManifest(const std::string& manifest_key) = 0;
  virtual Status Remove(const std::vector<std::string>& keys) = 0;
  // In one step: removes the manifest and `chunk_keys` if the manifest's body is still `body`.
  // False: it is another one, or gone; nothing was removed.
  virtual Result<bool> RemoveManifest(const std::string& manifest_key, const std::string& body,
                                      const std::vector<std::string>& chunk_keys) = 0;
};

// Where a snapshot belongs.
struct SnapshotPosition {
  std::int64_t installation =
      0;  // real origin of domain time in ms: tells one set of topics from another
  std::int64_t epoch = -1;         // of the owner that took it
  std::int64_t offset = -1;        // last record of metrics.v1 that is in it
  std::int64_t alarms_offset = 0;  // where to go on reading alarms.v1
};

struct Snapshot {
  SnapshotPosition position;
  std::vector<std::string> sections;
  std::string manifest;  // of a loaded one: which it is, for Drop
};

// Snapshots of shards: sections in chunks of at most kChunkBytes, and a manifest, written last,
// that names them. A chunk's name is made of its owner's epoch and of what is in it, so a section
// that did not change since the owner's last snapshot is not sent again, and chunks of different
// owners never mix. Thread-safe when the port is.
class SnapshotStore {
 public:
  static constexpr std::size_t kChunkBytes = 200 * 1024;
  static constexpr Duration kChunkLifetime{600'000};

  explicit SnapshotStore(SnapshotPort& port) : port_(port) {}

  // kConflict: a newer snapshot stands there; ours is not needed.
  Status Save(std::int32_t partition, const SnapshotPosition& position,
              const std::vector<std::string>& sections);

  // Nothing when there is none. kInvalid: one that is damaged, incomplete, of another format or of
  // other topics (it is removed, as it would stand in the way); kUnavailable: Redis is away, or
  // snapshots are stored faster than they can be read.
  Result<std::optional<Snapshot>> Load(std::int32_t partition, std::int64_t installation);

  // Removes the snapshot that Load gave with this `manifest`; one stored since then stays.
  Status Drop(std::int32_t partition, const std::string& manifest);

 private:
  // kConflict: the manifest was replaced while the chunks were read.
  Result<std::optional<Snapshot>> LoadOnce(std::int32_t partition, std::int64_t installation);

  SnapshotPort& port_;
  std::mutex mutex_;
  std::map<std::int32_t, std::set<std::string>> standing_;  // chunks of the last snapshot we stored
};

}  // namespace liveops::evaluation
