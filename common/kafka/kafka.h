#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

// Kafka as LiveOps uses it: explicit partitions, acks=all, idempotent producers, no auto-commit,
// every offset chosen by us. librdkafka stays inside this folder.
namespace liveops::kafka {

struct Header {
  std::string name;
  std::string value;
};

struct Record {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  RealTime append_time{};  // the broker's (message.timestamp.type=LogAppendTime)
  std::string key;
  std::string value;  // empty = tombstone
  std::vector<Header> headers;

  // Value of the first header of that name, or nullptr.
  const std::string* FindHeader(std::string_view name) const;
};

struct ClientConfig {
  std::string brokers;  // "host:port,host:port"
  std::string client_id;
  std::map<std::string, std::string>
      extra;  // librdkafka properties, e.g. security.protocol; ours win on conflict
  // A client is beyond repair: fenced by another process of its name (kConflict), or its
  // idempotence is lost (kInternal). Nothing that it is asked will succeed any more: only a fresh
  // start helps. Called once a client, on one of its threads; must not block; may be empty.
  std::function<void(const Error&)> on_fatal = nullptr;
};

// Where an acknowledged record stands.
struct Delivery {
  std::int64_t offset = -1;
  RealTime append_time{};
};

// Thread-safe. A record is delivered at most once to the log whatever librdkafka retries
// (idempotence).
class Producer {
 public:
  using Delivered = std::function<void(const Result<Delivery>&)>;

  struct Options {
    Duration message_timeout{10'000};        // steady; then the delivery fails with kUnavailable
    std::size_t queue_bytes_max = 32 << 20;  // beyond it Produce fails at once with kUnavailable
    Duration gather{0};  // steady; so long a record waits for others to go with, if nobody waits
  };

  static Result<std::unique_ptr<Producer>> Create(const ClientConfig& config, Options options);
  static Result<std::unique_ptr<Producer>> Create(const ClientConfig& config) {
    return Create(config, Options{});
  }
  virtual ~Producer() = default;  // waits for nothing: Flush first

  // Never blocks. `done` runs exactly once, on the producer's own thread (or inside this call when
  // the queue refuses); it must not block; it may be empty.
  // Records to one partition keep their order.
  virtual void Produce(std::string_view topic, std::int32_t partition, std::string_view key,
                       std::string value, const std::vector<Header>& headers, Delivered done) = 0;

  // Blocks until acknowledged or failed.
  Result<Delivery> ProduceSync(std::string_view topic, std::int32_t partition, std::string_view key,
                               std::string value, const std::vector<Header>& headers = {});

  // True when everything handed over was answered within `timeout`.
  virtual bool Flush(Duration timeout) = 0;

  virtual bool connected() const = 0;  // false while every broker is out of reach
  virtual std::size_t queued_bytes() const = 0;
};

struct PartitionOffset {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
};
inline constexpr std::int64_t kOffsetBeginning = -2;  // as librdkafka's
inline constexpr std::int64_t kOffsetEnd = -1;

// How long a broker may keep a fetch open to gather records. By default it answers with the first:
// each record then costs an answer and a new fetch over all partitions. A reader that nobody waits
// for spares the broker that work.
struct Gather {
  Duration wait{100};     // steady; at most so late a record comes
  std::size_t bytes = 1;  // with so many the answer leaves at once
};

// Reads exactly the partitions it is told, from the offsets it is told; no group. One thread at a
// time, except where said.
class AssignedConsumer {
 public:
  static Result<std::unique_ptr<AssignedConsumer>> Create(const ClientConfig& config,
                                                          Gather gather);
  static Result<std::unique_ptr<AssignedConsumer>> Create(const ClientConfig& config) {
    return Create(config, Gather{});
  }
  virtual ~AssignedConsumer() = default;

  virtual Status Assign(const std::vector<PartitionOffset>& partitions) = 0;
  // The next record of any assigned partition, or nothing when none came within `timeout`, or
  // sooner when the end of one was reached. Errors
  // that heal by themselves are not reported; an offset that no longer exists is (kNotFound).
  virtual Result<std::optional<Record>> Poll(Duration timeout) = 0;
  // True once Poll has given everything that stood in the partition at some moment since Assign.
  // Also where compaction took the last records away, so that their offsets never come.
  virtual bool ReachedEnd(std::string_view topic, std::int32_t partition) const = 0;
  // The log end as the last fetch told it; -1 when not known yet. Asks nobody; any thread.
  virtual std::int64_t KnownEnd(std::string_view topic, std::int32_t partition) const = 0;
  // Low (first kept) and high (next to be written) offsets.
  virtual Result<std::pair<std::int64_t, std::int64_t>> Watermarks(std::string_view topic,
                                                                   std::int32_t partition,
                                                                   Duration timeout) = 0;
  // First offset whose append time is at or after `time`; the high watermark when there is none.
  virtual Result<std::int64_t> OffsetAt(std::string_view topic, std::int32_t partition,
                                        RealTime time, Duration timeout) = 0;
  virtual bool connected() const = 0;
};

// A member of a consumer group on one topic, `range` assignment, static membership. One thread at a
// time.
class GroupConsumer {
 public:
  struct Options {
    std::string topic;
    std::string group;
    std::string instance;  // group.instance.id: a restart under the same name takes its partitions
                           // back at once
    Duration session_timeout{6'000};
    // Called inside Poll when partitions were given to this member: returns where to start each. It
    // may block (commit, claim, restore): heartbeats go on. A partition left out of the answer is
    // not read.
    std::function<std::vector<PartitionOffset>(const std::vector<std::int32_t>&)> on_assigned;
    // Called inside Poll or Close before they are given up.
    std::function<void(const std::vector<std::int32_t>&)> on_revoked;
  };

  static Result<std::unique_ptr<GroupConsumer>> Create(const ClientConfig& config, Options options);
  virtual ~GroupConsumer() = default;

  virtual Result<std::optional<Record>> Poll(Duration timeout) = 0;
  // Synchronous; kConflict when this member no longer owns the partition. Usable inside
  // on_assigned.
  virtual Status Commit(std::int32_t partition, std::int64_t next_offset) = 0;
  // Waits for nothing and tells no outcome: for offsets that only inform people.
  virtual void CommitLater(std::int32_t partition, std::int64_t next_offset) = 0;
  // The log end as the last fetch told it (last stable offset and high watermark are the same
  // here); -1 when not known yet. Asks nobody; any thread, until Close.
  virtual std::int64_t KnownEnd(std::int32_t /*partition*/) const { return -1; }
  virtual bool connected() const = 0;
  // Revokes and leaves in order, within 3 s also when no broker answers. Idempotent.
  virtual void Close() = 0;
};

struct TopicSpec {
  std::string name;
  std::int32_t partitions = 1;
  std::map<std::string, std::string> config;  // topic settings, e.g. cleanup.policy
};

// Creates those that do not exist. Returns the names that this call created. kConflict when one
// exists with another number of partitions: the message names both numbers.
Result<std::vector<std::string>> EnsureTopics(const ClientConfig& config,
                                              const std::vector<TopicSpec>& topics,
                                              std::int32_t replication, Duration timeout);

}  // namespace liveops::kafka
