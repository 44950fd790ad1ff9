#include <fmt/format.h>

#include "common/kafka/internal.h"

namespace liveops::kafka {
namespace {

using internal::ToError;

class RdAssignedConsumer final : public AssignedConsumer {
 public:
  Status Start(const ClientConfig& config, const Gather& gather) {
    // librdkafka wants a group name even where no group is used.
    auto conf =
        internal::MakeConf(config, health_.get(),
                           {{"group.id", "liveops-assigned"},
                            {"enable.auto.commit", "false"},
                            {"enable.auto.offset.store", "false"},
                            {"auto.offset.reset", "error"},
                            {"check.crcs", "true"},
                            {"enable.partition.eof", "true"},
                            {"isolation.level", "read_uncommitted"},  // no transactions here
                            // Kafka answers one connection's requests in turn: a question
                            // about offsets waits behind a fetch for so long.
                            {"fetch.wait.max.ms", std::to_string(gather.wait.count())},
                            {"fetch.min.bytes", std::to_string(gather.bytes)},
                            {"fetch.error.backoff.ms", "50"},
                            {"queued.max.messages.kbytes", "16384"}});
    if (!conf.ok()) return conf.error();
    auto handle = internal::MakeHandle(RD_KAFKA_CONSUMER, std::move(*conf));
    if (!handle.ok()) return handle.error();
    handle_ = *handle;
    rd_kafka_poll_set_consumer(handle_);
    return {};
  }

  ~RdAssignedConsumer() override {
    if (handle_ == nullptr) return;
    rd_kafka_assign(handle_, nullptr);
    internal::EndConsumer(handle_, health_);
  }

  Status Assign(const std::vector<PartitionOffset>& partitions) override {
    ends_.clear();
    const internal::TopicList list(
        rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
    for (const PartitionOffset& p : partitions) {
      rd_kafka_topic_partition_list_add(list.get(), p.topic.c_str(), p.partition)->offset =
          p.offset;
    }
    const auto err = rd_kafka_assign(handle_, list.get());
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return ToError(err, "assigning partitions");
    AwaitStops();
    return {};
  }

  Result<std::optional<Record>> Poll(Duration timeout) override {
    return internal::PollOnce(handle_, *health_, timeout, &ends_);
  }

  bool ReachedEnd(std::string_view topic, std::int32_t partition) const override {
    return ends_.contains({std::string(topic), partition});
  }

  std::int64_t KnownEnd(std::string_view topic, std::int32_t partition) const override {
    return internal::CachedEnd(handle_, std::string(topic), partition);
  }

  Result<std::pair<std::int64_t, std::int64_t>> Watermarks(std::string_view topic,
                                                           std::int32_t partition,
                                                           Duration timeout) override {
    std::int64_t low = 0;
    std::int64_t high = 0;
    const std::string name(topic);
    const auto err = rd_kafka_query_watermark_offsets(handle_, name.c_str(), partition, &low, &high,
                                                      static_cast<int>(timeout.count()));
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return ToError(err, fmt::format("asking for the ends of {}/{}", topic, partition));
    }
    health_->connected = true;
    return std::pair(low, high);
  }

  Result<std::int64_t> OffsetAt(std::string_view topic, std::int32_t partition, RealTime time,
                                Duration timeout) override {
    const std::string name(topic);
    const internal::TopicList list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), name.c_str(), partition)->offset = ToMs(time);
    const auto err =
        rd_kafka_offsets_for_times(handle_, list.get(), static_cast<int>(timeout.count()));
    const auto doing = [&] {
      return fmt::format("asking for the offset at a time in {}/{}", topic, partition);
    };
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return ToError(err, doing());
    if (list->elems[0].err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return ToError(list->elems[0].err, doing());
    if (list->elems[0].offset >= 0) return list->elems[0].offset;
    auto ends = Watermarks(topic, partition, timeout);
    if (!ends.ok()) return ends.error();
    return ends->second;
  }

  bool connected() const override { return health_->connected; }

 private:
  // librdkafka 2.0.2 stops the partitions of the last assignment in its own time, and aborts the
  // process when one is told to stop again meanwhile. Its main thread takes the stop, the answer to
  // it, and questions from one queue, in order: when it has answered the second question, it has
  // seen the answers to all stops.
  void AwaitStops() {
    for (int i = 0; i < 2; ++i) {
      rd_kafka_topic_partition_list_t* list = nullptr;
      if (rd_kafka_assignment(handle_, &list) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_topic_partition_list_destroy(list);
      }
    }
  }

  const std::shared_ptr<internal::Health> health_ = std::make_shared<internal::Health>();
  rd_kafka_t* handle_ = nullptr;
  internal::Ends ends_;
};

}  // namespace

Result<std::unique_ptr<AssignedConsumer>> AssignedConsumer::Create(const ClientConfig& config,
                                                                   Gather gather) {
  auto consumer = std::make_unique<RdAssignedConsumer>();
  if (Status s = consumer->Start(config, gather); !s.ok()) return s.error();
  return std::unique_ptr<AssignedConsumer>(std::move(consumer));
}

}  // namespace liveops::kafka
