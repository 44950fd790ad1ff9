#include <fmt/format.h>

#include <array>

#include "common/kafka/internal.h"
#include "common/kafka/topics.h"

namespace liveops::kafka {
namespace {

using internal::ToError;

struct HandleDeleter {
  void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
};
struct QueueDeleter {
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};
struct EventDeleter {
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};
struct MetadataDeleter {
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
};
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, MetadataDeleter>;

Result<Metadata> FetchMetadata(rd_kafka_t* handle, Duration timeout) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto err = rd_kafka_metadata(handle, /*all_topics=*/1, nullptr, &metadata,
                                     static_cast<int>(timeout.count()));
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return ToError(err, "asking Kafka for its topics");
  return Metadata(metadata);
}

std::int32_t PartitionsOf(const rd_kafka_metadata_t& metadata, std::string_view name) {
  for (int i = 0; i < metadata.topic_cnt; ++i) {
    if (name == metadata.topics[i].topic) return metadata.topics[i].partition_cnt;
  }
  return 0;
}

// One CreateTopics request; fills `created` with those that this call made. A topic that somebody
// else made meanwhile is fine.
Status Create(rd_kafka_t* handle, const std::vector<const TopicSpec*>& specs,
              std::int32_t replication, Duration timeout, std::vector<std::string>& created) {
  std::vector<rd_kafka_NewTopic_t*> topics;
  char why[512];
  for (const TopicSpec* spec : specs) {
    rd_kafka_NewTopic_t* topic =
        rd_kafka_NewTopic_new(spec->name.c_str(), spec->partitions, replication, why, sizeof why);
    if (topic == nullptr) {
      rd_kafka_NewTopic_destroy_array(topics.data(), topics.size());
      return InvalidError(fmt::format("topic {}: {}", spec->name, why));
    }
    for (const auto& [key, value] : spec->config)
      rd_kafka_NewTopic_set_config(topic, key.c_str(), value.c_str());
    topics.push_back(topic);
  }
  const std::unique_ptr<rd_kafka_queue_t, QueueDeleter> queue(rd_kafka_queue_new(handle));
  rd_kafka_AdminOptions_t* options =
      rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_AdminOptions_set_request_timeout(options, static_cast<int>(timeout.count()), why,
                                            sizeof why);
  rd_kafka_CreateTopics(handle, topics.data(), topics.size(), options, queue.get());
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_NewTopic_destroy_array(topics.data(), topics.size());

  const std::unique_ptr<rd_kafka_event_t, EventDeleter> event(
      rd_kafka_queue_poll(queue.get(), static_cast<int>(timeout.count()) + 1000));
  if (!event) return TimeoutError("creating topics: no answer");
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ToError(rd_kafka_event_error(event.get()), "creating topics");
  }
  std::size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto err = rd_kafka_topic_result_error(results[i]);
    const std::string name = rd_kafka_topic_result_name(results[i]);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      created.push_back(name);
    } else if (err != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
      return ToError(err, fmt::format("creating topic {}", name));
    }
  }
  return {};
}

}  // namespace

Result<std::int32_t> PartitionCount(const ClientConfig& config, const std::string& topic,
                                    Duration timeout) {
  internal::Health health;
  auto conf = internal::MakeConf(config, &health, {});
  if (!conf.ok()) return conf.error();
  auto made = internal::MakeHandle(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!made.ok()) return made.error();
  const std::unique_ptr<rd_kafka_t, HandleDeleter> handle(*made);
  const auto metadata = FetchMetadata(handle.get(), timeout);
  if (!metadata.ok()) return metadata.error();
  const std::int32_t partitions = PartitionsOf(**metadata, topic);
  if (partitions == 0) return NotFoundError(fmt::format("Kafka has no topic {}", topic));
  return partitions;
}

Result<std::vector<std::string>> EnsureTopics(const ClientConfig& config,
                                              const std::vector<TopicSpec>& topics,
                                              std::int32_t replication, Duration timeout) {
  internal::Health health;
  auto conf = internal::MakeConf(config, &health, {});
  if (!conf.ok()) return conf.error();
  auto made = internal::MakeHandle(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!made.ok()) return made.error();
  const std::unique_ptr<rd_kafka_t, HandleDeleter> handle(*made);

  auto metadata = FetchMetadata(handle.get(), timeout);
  if (!metadata.ok()) return metadata.error();
  std::vector<const TopicSpec*> missing;
  for (const TopicSpec& topic : topics) {
    const std::int32_t partitions = PartitionsOf(**metadata, topic.name);
    if (partitions == 0) {
      missing.push_back(&topic);
    } else if (partitions != topic.partitions) {
      return ConflictError(fmt::format(
          "topic {} has {} partitions, {} are configured; the count is fixed at creation",
          topic.name, partitions, topic.partitions));
    }
  }
  std::vector<std::string> created;
  if (missing.empty()) return created;
  if (Status s = Create(handle.get(), missing, replication, timeout, created); !s.ok())
    return s.error();
  // Usable only when every partition has a leader that the metadata names.
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (std::chrono::steady_clock::now() < deadline) {
    metadata = FetchMetadata(handle.get(), timeout);
    if (!metadata.ok()) return metadata.error();
    bool all = true;
    for (const TopicSpec& topic : topics)
      all = all && PartitionsOf(**metadata, topic.name) == topic.partitions;
    if (all) return created;
    rd_kafka_poll(handle.get(), 20);
  }
  return UnavailableError("the topics were created, but Kafka does not list them yet");
}

}  // namespace liveops::kafka
