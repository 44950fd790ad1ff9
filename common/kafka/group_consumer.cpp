#include <fmt/format.h>

#include "common/kafka/internal.h"

namespace liveops::kafka {
namespace {

using internal::ToError;

class RdGroupConsumer final : public GroupConsumer {
 public:
  explicit RdGroupConsumer(Options options) : options_(std::move(options)) {}

  Status Start(const ClientConfig& config) {
    auto conf = internal::MakeConf(
        config, health_.get(),
        {{"group.id", options_.group},
         {"group.instance.id", options_.instance},
         {"partition.assignment.strategy", "range"},
         {"session.timeout.ms", std::to_string(options_.session_timeout.count())},
         {"heartbeat.interval.ms", std::to_string(options_.session_timeout.count() / 4)},
         // How long a rebalance waits for a member that has gone silent.
         {"max.poll.interval.ms", "60000"},
         {"enable.auto.commit", "false"},
         {"enable.auto.offset.store", "false"},
         {"auto.offset.reset", "error"},
         {"check.crcs", "true"},
         {"isolation.level", "read_uncommitted"},  // no transactions here
         {"fetch.wait.max.ms", "500"},
         {"fetch.error.backoff.ms", "50"},
         {"queued.max.messages.kbytes", "16384"}});
    if (!conf.ok()) return conf.error();
    rd_kafka_conf_set_rebalance_cb(conf->get(), &RdGroupConsumer::OnRebalance);
    auto handle = internal::MakeHandle(RD_KAFKA_CONSUMER, std::move(*conf));
    if (!handle.ok()) return handle.error();
    handle_ = *handle;
    rd_kafka_poll_set_consumer(handle_);
    const internal::TopicList topics(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), options_.topic.c_str(), RD_KAFKA_PARTITION_UA);
    const auto err = rd_kafka_subscribe(handle_, topics.get());
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return ToError(err, fmt::format("subscribing to {}", options_.topic));
    return {};
  }

  ~RdGroupConsumer() override { Close(); }

  Result<std::optional<Record>> Poll(Duration timeout) override {
    return internal::PollOnce(handle_, *health_, timeout);
  }

  Status Commit(std::int32_t partition, std::int64_t next_offset) override {
    const internal::TopicList list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), partition)->offset =
        next_offset;
    auto err = rd_kafka_commit(handle_, list.get(), /*async=*/0);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) err = list->elems[0].err;
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return ToError(err, fmt::format("committing {}/{}", options_.topic, partition));
    }
    health_->connected = true;
    return {};
  }

  void CommitLater(std::int32_t partition, std::int64_t next_offset) override {
    const internal::TopicList list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), partition)->offset =
        next_offset;
    (void)rd_kafka_commit(handle_, list.get(), /*async=*/1);
  }

  std::int64_t KnownEnd(std::int32_t partition) const override {
    return internal::CachedEnd(handle_, options_.topic, partition);
  }

  bool connected() const override { return health_->connected; }

  void Close() override {
    if (handle_ == nullptr) return;
    internal::EndConsumer(handle_, health_);  // revokes: the handle is in use
    handle_ = nullptr;
  }

 private:
  // Its address is librdkafka's opaque for every callback of this handle.
  struct OwnHealth : internal::Health {
    explicit OwnHealth(RdGroupConsumer* consumer) : owner(consumer) {}
    RdGroupConsumer* const owner;
  };

  static void OnRebalance(rd_kafka_t*, rd_kafka_resp_err_t err,
                          rd_kafka_topic_partition_list_t* list, void* opaque) {
    auto* self = static_cast<OwnHealth*>(static_cast<internal::Health*>(opaque))->owner;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      self->Assigned(*list);
    } else {
      self->Revoked();
    }
  }

  void Assigned(const rd_kafka_topic_partition_list_t& given) {
    health_->connected = true;
    owned_.clear();
    for (int i = 0; i < given.cnt; ++i) owned_.push_back(given.elems[i].partition);
    std::vector<PartitionOffset> starts;
    if (options_.on_assigned && !owned_.empty()) starts = options_.on_assigned(owned_);
    const internal::TopicList list(
        rd_kafka_topic_partition_list_new(static_cast<int>(starts.size())));
    for (const PartitionOffset& start : starts) {
      rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), start.partition)
          ->offset = start.offset;
    }
    rd_kafka_assign(handle_, list.get());
  }

  void Revoked() {
    if (options_.on_revoked && !owned_.empty()) options_.on_revoked(owned_);
    owned_.clear();
    rd_kafka_assign(handle_, nullptr);
  }

  const Options options_;
  const std::shared_ptr<OwnHealth> health_ = std::make_shared<OwnHealth>(this);
  rd_kafka_t* handle_ = nullptr;
  std::vector<std::int32_t> owned_;
};

}  // namespace

Result<std::unique_ptr<GroupConsumer>> GroupConsumer::Create(const ClientConfig& config,
                                                             Options options) {
  auto consumer = std::make_unique<RdGroupConsumer>(std::move(options));
  if (Status s = consumer->Start(config); !s.ok()) return s.error();
  return std::unique_ptr<GroupConsumer>(std::move(consumer));
}

}  // namespace liveops::kafka
