#pragma once

// Shared by this folder's .cpp files only: the one place that includes librdkafka.
#include <librdkafka/rdkafka.h>

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "common/kafka/kafka.h"

namespace liveops::kafka::internal {

struct TopicListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using TopicList = std::unique_ptr<rd_kafka_topic_partition_list_t, TopicListDeleter>;

struct ConfDeleter {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using Conf = std::unique_ptr<rd_kafka_conf_t, ConfDeleter>;

// What the client's own threads tell about the cluster. Opaque of the rd_kafka_t; must outlive it.
struct Health {
  std::atomic<bool> connected{false};
  std::atomic<bool> fatal_told{false};
  std::function<void(const Error&)> on_fatal;  // set before the handle is made
};

// The partitions whose end was seen; of a consumer with enable.partition.eof.
using Ends = std::set<std::pair<std::string, std::int32_t>>;

// Properties common to all clients; `ours` win over config.extra. kInvalid names the property that
// was refused.
Result<Conf> MakeConf(const ClientConfig& config, Health* health,
                      std::initializer_list<std::pair<const char*, std::string>> ours);

// Creates the handle; takes the configuration over.
Result<rd_kafka_t*> MakeHandle(rd_kafka_type_t type, Conf conf);

// The error's sentence with the code's name, as one of our codes.
Error ToError(rd_kafka_resp_err_t err, std::string_view doing);

// Copies a message out; the message stays the caller's.
Record CopyRecord(const rd_kafka_message_t& message);

// One poll of a consumer: a record, nothing, or an error that does not heal by itself. `ends` gets
// the partitions whose end was reached; may be null.
Result<std::optional<Record>> PollOnce(rd_kafka_t* handle, Health& health, Duration timeout,
                                       Ends* ends = nullptr);

// Revokes what a consumer owns (its rebalance callback runs in this call), leaves the group and
// ends the handle: within 3 s. librdkafka 2.0.2 ends none while an offset's commit waits for a
// coordinator that is away (rd_kafka_consumer_close blocks), and may wait for good for a broker's
// thread (confluentinc/librdkafka#4674). Such a handle is left, with `health`, to a thread that
// waits in our place; no rebalance callback runs after that.
void EndConsumer(rd_kafka_t* handle, std::shared_ptr<Health> health);

// The log end that the last fetch told; -1 when not known.
std::int64_t CachedEnd(rd_kafka_t* handle, const std::string& topic, std::int32_t partition);

}  // namespace liveops::kafka::internal
