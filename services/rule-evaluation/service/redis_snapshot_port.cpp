#include "services/rule-evaluation/service/redis_snapshot_port.h"

namespace liveops::evaluation {
namespace {

// KEYS: manifest, chunks…; ARGV: epoch, offset, body. Gives {word, former body}.
constexpr const char* kCommit = R"(
local e = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '-1')
local o = tonumber(redis.call('HGET', KEYS[1], 'offset') or '-1')
local ne, no = tonumber(ARGV[1]), tonumber(ARGV[2])
if ne < e or (ne == e and no < o) then return {'newer', ''} end
for i = 2, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 0 then return {'missing', ''} end
end
for i = 2, #KEYS do redis.call('PERSIST', KEYS[i]) end
local former = redis.call('HGET', KEYS[1], 'body') or ''
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'offset', ARGV[2], 'body', ARGV[3])
return {'stored', former}
)";

// KEYS: manifest, chunks…; ARGV: body. 1 = removed.
constexpr const char* kRemove = R"(
if redis.call('HGET', KEYS[1], 'body') ~= ARGV[1] then return 0 end
for i = 1, #KEYS do redis.call('UNLINK', KEYS[i]) end
return 1
)";

Result<std::optional<std::string>> TextOf(Result<redis::Reply> reply) {
  if (!reply.ok()) return reply.error();
  if (reply->nil()) return std::optional<std::string>();
  return std::optional<std::string>(std::move(reply->text));
}

}  // namespace

Result<std::optional<std::string>> RedisSnapshotPort::Get(const std::string& key) {
  return TextOf(client_.Run({"GET", key}));
}

Status RedisSnapshotPort::PutChunk(const std::string& key, const std::string& value,
                                   Duration lifetime) {
  const auto reply = client_.Run({"SET", key, value, "PX", std::to_string(lifetime.count()), "NX"});
  if (!reply.ok()) return reply.error();
  return {};
}

Result<std::optional<std::string>> RedisSnapshotPort::CommitManifest(
    const std::string& manifest_key, std::int64_t epoch, std::int64_t offset,
    const std::string& body, const std::vector<std::string>& chunk_keys) {
  std::vector<std::string> keys{manifest_key};
  keys.insert(keys.end(), chunk_keys.begin(), chunk_keys.end());
  const auto reply =
      client_.Script(kCommit, keys, {std::to_string(epoch), std::to_string(offset), body});
  if (!reply.ok()) return reply.error();
  if (reply->array.size() != 2) return InternalError("the snapshot script gave an odd answer");
  if (reply->array[0].text == "newer") return ConflictError("a newer snapshot stands");
  if (reply->array[0].text == "missing") return NotFoundError("a chunk has gone meanwhile");
  const std::string& former = reply->array[1].text;
  return former.empty() ? std::optional<std::string>() : std::optional<std::string>(former);
}

Result<std::optional<std::string>> RedisSnapshotPort::GetManifest(const std::string& manifest_key) {
  return TextOf(client_.Run({"HGET", manifest_key, "body"}));
}

Status RedisSnapshotPort::Remove(const std::vector<std::string>& keys) {
  if (keys.empty()) return {};
  redis::Command command{"UNLINK"};
  command.insert(command.end(), keys.begin(), keys.end());
  const auto reply = client_.Run(command);
  if (!reply.ok()) return reply.error();
  return {};
}

Result<bool> RedisSnapshotPort::RemoveManifest(const std::string& manifest_key,
                                               const std::string& body,
                                               const std::vector<std::string>& chunk_keys) {
  std::vector<std::string> keys{manifest_key};
  keys.insert(keys.end(), chunk_keys.begin(), chunk_keys.end());
  const auto reply = client_.Script(kRemove, keys, {body});
  if (!reply.ok()) return reply.error();
  return reply->integer == 1;
}

}  // namespace liveops::evaluation
