#include "services/rule-evaluation/service/snapshot_store.h"

#include <algorithm>
#include <string>

#include "common/base/bytes.h"
#include "common/base/hash.h"

namespace liveops::evaluation {
namespace {

constexpr std::uint64_t kFormat = 1;
constexpr std::uint64_t kChunksMax = 100'000;
constexpr int kLoadAttempts = 2;

struct Manifest {
  SnapshotPosition position;
  std::uint64_t length = 0;
  std::string digest;  // SHA-256 of the whole
  std::uint64_t chunks = 0;
};

std::string ManifestKey(std::int32_t partition) {
  return "liveops:snapshot:" + std::to_string(partition);
}

std::string ChunkKey(std::int32_t partition, const Manifest& manifest, std::uint64_t index) {
  // The digest is in the name: two owners' chunks of the same position never mix.
  return ManifestKey(partition) + ":" + std::to_string(manifest.position.epoch) + "-" +
         std::to_string(manifest.position.offset) + "-" + manifest.digest.substr(0, 16) + ":" +
         std::to_string(index);
}

std::vector<std::string> ChunkKeys(std::int32_t partition, const Manifest& manifest) {
  std::vector<std::string> keys;
  for (std::uint64_t i = 0; i < manifest.chunks; ++i) {
    keys.push_back(ChunkKey(partition, manifest, i));
  }
  return keys;
}

std::string Encode(const Manifest& m) {
  ByteWriter out;
  out.Varint(kFormat);
  out.Signed(m.position.installation);
  out.Signed(m.position.epoch);
  out.Signed(m.position.offset);
  out.Signed(m.position.alarms_offset);
  out.Varint(m.length);
  out.String(m.digest);
  out.Varint(m.chunks);
  return out.Take();
}

std::optional<Manifest> DecodeManifest(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.Varint() != kFormat) return std::nullopt;
  Manifest m;
  m.position.installation = in.Signed();
  m.position.epoch = in.Signed();
  m.position.offset = in.Signed();
  m.position.alarms_offset = in.Signed();
  m.length = in.Varint();
  m.digest = std::string(in.String());
  m.chunks = in.Varint();
  if (!in.ok() || !in.AtEnd() || m.digest.size() != 64 || m.chunks > kChunksMax)
    return std::nullopt;
  return m;
}

// None of a manifest that cannot be read.
std::vector<std::string> KeysOf(std::int32_t partition, const std::optional<Manifest>& manifest) {
  return manifest ? ChunkKeys(partition, *manifest) : std::vector<std::string>();
}

}  // namespace

Status SnapshotStore::Save(std::int32_t partition, const Snapshot& snapshot) {
  Manifest manifest;
  manifest.position = snapshot.position;
  manifest.length = snapshot.bytes.size();
  manifest.digest = Hex(Sha256Of(std::string_view(snapshot.bytes)));
  manifest.chunks = (snapshot.bytes.size() + kChunkBytes - 1) / kChunkBytes;
  const std::vector<std::string> keys = ChunkKeys(partition, manifest);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Status put = port_.PutChunk(keys[i], snapshot.bytes.substr(i * kChunkBytes, kChunkBytes),
                                      kChunkLifetime);
    if (!put.ok()) return put;
  }
  Result<std::optional<std::string>> former =
      port_.CommitManifest(ManifestKey(partition), snapshot.position.epoch,
                           snapshot.position.offset, Encode(manifest), keys);
  if (!former.ok()) {
    // Best effort: what stays behind expires by itself.
    if (former.error().code == ErrorCode::kConflict) (void)port_.Remove(keys);
    return former.error();
  }
  if (*former) {
    const std::optional<Manifest> old = DecodeManifest(**former);
    if (old && Encode(*old) != Encode(manifest)) {
      std::vector<std::string> stale = ChunkKeys(partition, *old);
      std::erase_if(stale, [&](const std::string& key) {
        return std::find(keys.begin(), keys.end(), key) != keys.end();
      });
      (void)port_.Remove(stale);
    }
  }
  return {};
}

Result<std::optional<Snapshot>> SnapshotStore::Load(std::int32_t partition,
                                                    std::int64_t installation) {
  for (int attempt = 0; attempt < kLoadAttempts; ++attempt) {
    Result<std::optional<Snapshot>> loaded = LoadOnce(partition, installation);
    if (loaded.ok() || loaded.error().code != ErrorCode::kConflict) return loaded;
  }
  return UnavailableError("the snapshot of partition " + std::to_string(partition) +
                          " keeps changing while it is read");
}

Result<std::optional<Snapshot>> SnapshotStore::LoadOnce(std::int32_t partition,
                                                        std::int64_t installation) {
  const Result<std::optional<std::string>> body = port_.GetManifest(ManifestKey(partition));
  if (!body.ok()) return body.error();
  if (!*body) return std::optional<Snapshot>();
  const std::optional<Manifest> manifest = DecodeManifest(**body);
  const auto refuse = [&](std::string why) -> Error {
    // A save that came in between took the chunks away: what stands there now is another snapshot.
    const Result<bool> removed =
        port_.RemoveManifest(ManifestKey(partition), **body, KeysOf(partition, manifest));
    if (removed.ok() && !*removed) return ConflictError("the manifest was replaced");
    return InvalidError("the snapshot of partition " + std::to_string(partition) + " " +
                        std::move(why));
  };
  if (!manifest) return refuse("has a manifest that this build does not read");
  if (manifest->position.installation != installation) return refuse("belongs to other topics");
  Snapshot snapshot;
  snapshot.position = manifest->position;
  snapshot.manifest = **body;
  for (const std::string& key : ChunkKeys(partition, *manifest)) {
    Result<std::optional<std::string>> chunk = port_.Get(key);
    if (!chunk.ok()) return chunk.error();
    if (!*chunk) return refuse("lacks a chunk");
    snapshot.bytes += **chunk;
  }
  if (snapshot.bytes.size() != manifest->length ||
      Hex(Sha256Of(std::string_view(snapshot.bytes))) != manifest->digest) {
    return refuse("does not match its digest");
  }
  return std::optional<Snapshot>(std::move(snapshot));
}

Status SnapshotStore::Drop(std::int32_t partition, const std::string& manifest) {
  const Result<bool> removed = port_.RemoveManifest(ManifestKey(partition), manifest,
                                                    KeysOf(partition, DecodeManifest(manifest)));
  if (!removed.ok()) return removed.error();
  return {};
}

}  // namespace liveops::evaluation
