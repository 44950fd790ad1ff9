#include "common/runtime/topics.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "common/base/hash.h"
#include "common/runtime/time_map.h"
#include "liveops/v1/operations.pb.h"

namespace liveops::runtime {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

std::string Days(std::int64_t days) { return std::to_string(days * kDayMs); }

std::vector<kafka::TopicSpec> TopicTable(std::int32_t n, std::int32_t replication) {
  const std::string append = "LogAppendTime";
  const auto compacted = [&](std::int64_t lag_days) {
    return std::map<std::string, std::string>{{"message.timestamp.type", append},
                                              {"cleanup.policy", "compact"},
                                              {"min.compaction.lag.ms", Days(lag_days)}};
  };
  const auto kept = [&](std::int64_t days) {
    return std::map<std::string, std::string>{{"message.timestamp.type", append},
                                              {"cleanup.policy", "delete"},
                                              {"retention.ms", Days(days)}};
  };
  // Also a broker's own limit on bytes must not cut what people did.
  const std::map<std::string, std::string> without_end = {{"message.timestamp.type", append},
                                                          {"cleanup.policy", "delete"},
                                                          {"retention.ms", "-1"},
                                                          {"retention.bytes", "-1"}};
  std::vector<kafka::TopicSpec> topics = {
      {topic::kMetrics, n, kept(3)},          {topic::kPlans, 1, compacted(0)},
      {topic::kAlarms, n, compacted(400)},    {topic::kControls, 1, compacted(0)},
      {topic::kOperations, n, without_end},   {topic::kNotifications, n, compacted(1)},
      {topic::kRemediations, n, without_end}, {topic::kDeadLetter, n, kept(30)},
      {topic::kRollups, n, kept(3)},          {topic::kLogs, n, kept(3)},
  };
  // Acknowledged by all that are in sync means something only where that is more than one.
  if (replication >= 3) {
    for (kafka::TopicSpec& topic : topics) topic.config["min.insync.replicas"] = "2";
  }
  return topics;
}

Status WriteDomainTime(const kafka::ClientConfig& config, double speed) {
  auto producer = kafka::Producer::Create(config);
  if (!producer.ok()) return producer.error();
  const std::int64_t now = ToMs(WallClockNow());
  v1::ControlRecord control;
  control.mutable_source()->set_emitter(config.client_id);
  control.mutable_domain_time()->set_real_origin_ms(now);
  control.mutable_domain_time()->set_domain_origin_ms(now);
  control.mutable_domain_time()->set_speed(speed);
  auto written =
      (*producer)->ProduceSync(topic::kControls, 0, kDomainTimeKey, control.SerializeAsString());
  if (!written.ok()) return written.error();
  return {};
}

}  // namespace

Status ReadToEnd(kafka::AssignedConsumer& consumer, const std::string& topic,
                 std::int32_t partition, std::int64_t from, Duration timeout,
                 const std::function<void(const kafka::Record&)>& each) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  auto ends = consumer.Watermarks(topic, partition, timeout);
  if (!ends.ok()) return ends.error();
  const auto [low, high] = *ends;
  const std::int64_t start = std::max(from, low);  // kOffsetBeginning is negative
  if (start >= high) return {};
  if (Status s = consumer.Assign({{topic, partition, start}}); !s.ok()) return s;
  // Compaction may have removed the very last offsets, which the high watermark counts: then the
  // end is where the broker says that it is.
  std::int64_t next = start;
  while (next < high && !consumer.ReachedEnd(topic, partition)) {
    auto record = consumer.Poll(Duration(50));
    if (!record.ok()) return record.error();
    if (*record) {
      if ((*record)->offset >= high) break;
      each(**record);
      next = (*record)->offset + 1;
    } else if (std::chrono::steady_clock::now() > deadline) {
      return UnavailableError(fmt::format("reading {}/{}: at offset {} of {} when the time was up",
                                          topic, partition, next, high));
    }
  }
  return consumer.Assign({});
}

Result<TimeMap> EstablishTopics(const kafka::ClientConfig& config, const TopicsConfig& topics,
                                Duration timeout) {
  auto created = kafka::EnsureTopics(config, TopicTable(topics.partitions, topics.replication),
                                     topics.replication, timeout);
  if (!created.ok()) return created.error();
  auto consumer = kafka::AssignedConsumer::Create(config);
  if (!consumer.ok()) return consumer.error();
  auto found = FindTimeMap(**consumer, timeout);
  if (!found.ok()) return found.error();
  const bool mine = std::find(created->begin(), created->end(), topic::kControls) != created->end();
  if (!*found && !mine) {
    // Another process made the topic a moment ago and is about to write; only if it died does it
    // fall to us.
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    while (!*found && std::chrono::steady_clock::now() < patience) {
      found = FindTimeMap(**consumer, timeout);
      if (!found.ok()) return found.error();
    }
  }
  if (!*found) {
    if (Status s = WriteDomainTime(config, topics.domain_speed > 0 ? topics.domain_speed : 1.0);
        !s.ok()) {
      return s.error();
    }
    found = FindTimeMap(**consumer, timeout);
    if (!found.ok()) return found.error();
    if (!*found) return InternalError("the domain time that was just written cannot be read back");
  }
  const TimeMap& time = **found;
  if (topics.domain_speed > 0 && topics.domain_speed != time.speed) {
    return ConflictError(fmt::format(
        "this installation runs at domain speed {}, the configuration says {}; the speed is "
        "fixed when the topics are created",
        time.speed, topics.domain_speed));
  }
  return time;
}

void DeadLetter(kafka::Producer& producer, const kafka::Record& record, std::string_view why) {
  std::int32_t partition = record.partition;
  producer.Produce(topic::kDeadLetter, partition, record.key.empty() ? record.topic : record.key,
                   record.value,
                   {{"topic", record.topic},
                    {"partition", std::to_string(record.partition)},
                    {"offset", std::to_string(record.offset)},
                    {"why", std::string(why)}},
                   nullptr);
}

}  // namespace liveops::runtime
