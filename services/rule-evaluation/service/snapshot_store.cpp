#include "services/rule-evaluation/service/snapshot_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/hash.h"

namespace liveops::evaluation {
namespace {

constexpr std::uint64_t kFormat = 2;
constexpr std::uint64_t kChunksMax = 1'000'000;
constexpr int kLoadAttempts = 2;

struct Chunk {
  std::string name;  // fingerprint of its bytes, hex
  std::uint64_t length = 0;
  bool last = false;  // of its section
};

struct Manifest {
  SnapshotPosition position;
  std::vector<Chunk> chunks;
};

std::string ManifestKey(std::int32_t partition) {
  return "liveops:snapshot:" + std::to_string(partition);
}

std::vector<std::string> ChunkKeys(std::int32_t partition, const Manifest& manifest) {
  const std::string prefix =
      ManifestKey(partition) + ":" + std::to_string(manifest.position.epoch) + ":";
  std::vector<std::string> keys;
  keys.reserve(manifest.chunks.size());
  for (const Chunk& chunk : manifest.chunks) keys.push_back(prefix + chunk.name);
  return keys;
}

std::string NameOf(std::string_view bytes) {
  const Fingerprint print = FingerprintOf(std::span(&bytes, 1));
  return fmt::format("{:016x}{:016x}", print.hi, print.lo);
}

// `bytes` of the sections, by chunk.
std::vector<std::string_view> Cut(const std::vector<std::string>& sections, Manifest& manifest) {
  std::vector<std::string_view> bytes;
  for (const std::string& section : sections) {
    const std::string_view whole = section;
    std::size_t at = 0;
    do {
      bytes.push_back(whole.substr(at, SnapshotStore::kChunkBytes));
      at += bytes.back().size();
      manifest.chunks.push_back({NameOf(bytes.back()), bytes.back().size(), at == whole.size()});
    } while (at < whole.size());
  }
  return bytes;
}

std::string Encode(const Manifest& m) {
  ByteWriter out;
  out.Varint(kFormat);
  out.Signed(m.position.installation);
  out.Signed(m.position.epoch);
  out.Signed(m.position.offset);
  out.Signed(m.position.alarms_offset);
  out.Varint(m.chunks.size());
  for (const Chunk& chunk : m.chunks) {
    out.String(chunk.name);
    out.Varint(chunk.length);
    out.Bool(chunk.last);
  }
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
  const std::uint64_t chunks = in.Varint();
  if (chunks > kChunksMax) return std::nullopt;
  for (std::uint64_t i = 0; i < chunks && in.ok(); ++i) {
    Chunk& chunk = m.chunks.emplace_back();
    chunk.name = in.String();
    chunk.length = in.Varint();
    chunk.last = in.Bool();
  }
  if (!in.ok() || !in.AtEnd()) return std::nullopt;
  return m;
}

// None of a manifest that cannot be read.
std::vector<std::string> KeysOf(std::int32_t partition, const std::optional<Manifest>& manifest) {
  return manifest ? ChunkKeys(partition, *manifest) : std::vector<std::string>();
}

}  // namespace

Status SnapshotStore::Save(std::int32_t partition, const SnapshotPosition& position,
                           const std::vector<std::string>& sections) {
  Manifest manifest;
  manifest.position = position;
  const std::vector<std::string_view> bytes = Cut(sections, manifest);
  const std::vector<std::string> keys = ChunkKeys(partition, manifest);
  std::set<std::string> standing;
  {
    const std::lock_guard lock(mutex_);
    standing = std::exchange(standing_[partition], {});  // until this one stands, nothing is sure
  }
  const std::set<std::string> wanted(keys.begin(), keys.end());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (standing.contains(keys[i])) continue;
    const Status put = port_.PutChunk(keys[i], std::string(bytes[i]), kChunkLifetime);
    if (!put.ok()) return put;
  }
  Result<std::optional<std::string>> former =
      port_.CommitManifest(ManifestKey(partition), position.epoch, position.offset,
                           Encode(manifest), {wanted.begin(), wanted.end()});
  // Chunks of one that is refused expire by themselves.
  if (!former.ok()) return former.error();
  if (*former) {
    std::vector<std::string> stale = KeysOf(partition, DecodeManifest(**former));
    std::erase_if(stale, [&](const std::string& key) { return wanted.contains(key); });
    (void)port_.Remove(stale);
  }
  const std::lock_guard lock(mutex_);
  standing_[partition] = wanted;
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
  const std::vector<std::string> keys = ChunkKeys(partition, *manifest);
  bool begins = true;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Result<std::optional<std::string>> chunk = port_.Get(keys[i]);
    if (!chunk.ok()) return chunk.error();
    if (!*chunk) return refuse("lacks a chunk");
    if ((*chunk)->size() != manifest->chunks[i].length ||
        NameOf(**chunk) != manifest->chunks[i].name) {
      return refuse("has a chunk that is damaged");
    }
    if (begins) snapshot.sections.emplace_back();
    snapshot.sections.back() += **chunk;
    begins = manifest->chunks[i].last;
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
