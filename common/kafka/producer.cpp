#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "common/kafka/internal.h"

namespace liveops::kafka {
namespace {

using internal::ToError;

class RdProducer final : public Producer {
 public:
  explicit RdProducer(std::size_t queue_bytes_max) : queue_bytes_max_(queue_bytes_max) {}

  Status Start(const ClientConfig& config, const Options& options) {
    auto conf = internal::MakeConf(
        config, &health_,
        {{"enable.idempotence", "true"},
         {"acks", "all"},
         {"linger.ms", std::to_string(options.gather.count())},
         {"message.timeout.ms", std::to_string(options.message_timeout.count())},
         {"message.max.bytes", "10485760"},
         {"queue.buffering.max.kbytes", std::to_string(options.queue_bytes_max / 1024 + 1024)}});
    if (!conf.ok()) return conf.error();
    rd_kafka_conf_set_dr_msg_cb(conf->get(), &RdProducer::OnDelivery);
    auto handle = internal::MakeHandle(RD_KAFKA_PRODUCER, std::move(*conf));
    if (!handle.ok()) return handle.error();
    handle_ = *handle;
    poller_ = std::thread([this] {
      while (!stop_) rd_kafka_poll(handle_, 250);
    });
    return {};
  }

  ~RdProducer() override {
    stop_ = true;
    if (poller_.joinable()) poller_.join();
    if (handle_ == nullptr) return;
    // What is still queued fails now, so that every callback runs exactly once.
    rd_kafka_purge(handle_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(handle_, 1000);
    rd_kafka_destroy(handle_);
  }

  void Produce(std::string_view topic, std::int32_t partition, std::string_view key,
               std::string_view value, const std::vector<Header>& headers,
               Delivered done) override {
    const std::size_t size = key.size() + value.size();
    if (queued_bytes_ + size > queue_bytes_max_) {
      if (done)
        done(UnavailableError(
            fmt::format("the producer's queue holds {} bytes, its limit", queued_bytes_.load())));
      return;
    }
    rd_kafka_headers_t* list = nullptr;
    if (!headers.empty()) {
      list = rd_kafka_headers_new(headers.size());
      for (const Header& header : headers) {
        rd_kafka_header_add(list, header.name.data(), static_cast<ssize_t>(header.name.size()),
                            header.value.data(), static_cast<ssize_t>(header.value.size()));
      }
    }
    const std::string name(topic);
    auto* pending = new Pending{this, size, std::move(done)};
    queued_bytes_ += size;
    // A tombstone is a null payload, not an empty one.
    void* payload = value.empty() ? nullptr : const_cast<char*>(value.data());
    rd_kafka_vu_t arguments[8];
    std::size_t n = 0;
    const auto argument = [&]() -> rd_kafka_vu_t& { return arguments[n++]; };
    rd_kafka_vu_t& vtopic = argument();
    vtopic.vtype = RD_KAFKA_VTYPE_TOPIC;
    vtopic.u.cstr = name.c_str();
    rd_kafka_vu_t& vpartition = argument();
    vpartition.vtype = RD_KAFKA_VTYPE_PARTITION;
    vpartition.u.i32 = partition;
    rd_kafka_vu_t& vkey = argument();
    vkey.vtype = RD_KAFKA_VTYPE_KEY;
    vkey.u.mem = {const_cast<char*>(key.data()), key.size()};
    rd_kafka_vu_t& vvalue = argument();
    vvalue.vtype = RD_KAFKA_VTYPE_VALUE;
    vvalue.u.mem = {payload, value.size()};
    rd_kafka_vu_t& vflags = argument();
    vflags.vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    vflags.u.i = RD_KAFKA_MSG_F_COPY;
    rd_kafka_vu_t& vopaque = argument();
    vopaque.vtype = RD_KAFKA_VTYPE_OPAQUE;
    vopaque.u.ptr = pending;
    if (list != nullptr) {
      rd_kafka_vu_t& vheaders = argument();
      vheaders.vtype = RD_KAFKA_VTYPE_HEADERS;
      vheaders.u.headers = list;
    }
    rd_kafka_error_t* error = rd_kafka_produceva(handle_, arguments, n);
    if (error != nullptr) {
      if (list != nullptr) rd_kafka_headers_destroy(list);
      const Error ours =
          ToError(rd_kafka_error_code(error), fmt::format("writing {}/{}", name, partition));
      rd_kafka_error_destroy(error);
      Finish(pending, ours);
    }
  }

  bool Flush(Duration timeout) override {
    return rd_kafka_flush(handle_, static_cast<int>(timeout.count())) == RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  bool connected() const override { return health_.connected; }
  std::size_t queued_bytes() const override { return queued_bytes_; }

 private:
  struct Pending {
    RdProducer* producer;
    std::size_t size;
    Delivered done;
  };

  static void Finish(Pending* pending, const Result<Delivery>& result) {
    pending->producer->queued_bytes_ -= pending->size;
    const Delivered done = std::move(pending->done);
    delete pending;
    if (done) done(result);
  }

  static void OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
    auto* pending = static_cast<Pending*>(message->_private);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (message->err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
        pending->producer->health_.connected = false;
      Finish(pending,
             ToError(message->err, fmt::format("writing {}/{}", rd_kafka_topic_name(message->rkt),
                                               message->partition)));
      return;
    }
    pending->producer->health_.connected = true;
    rd_kafka_timestamp_type_t type{};
    Finish(pending,
           Delivery{message->offset, RealFromMs(rd_kafka_message_timestamp(message, &type))});
  }

  const std::size_t queue_bytes_max_;
  internal::Health health_;
  rd_kafka_t* handle_ = nullptr;
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> queued_bytes_{0};
  std::thread poller_;
};

}  // namespace

Result<std::unique_ptr<Producer>> Producer::Create(const ClientConfig& config, Options options) {
  auto producer = std::make_unique<RdProducer>(options.queue_bytes_max);
  if (Status s = producer->Start(config, options); !s.ok()) return s.error();
  return std::unique_ptr<Producer>(std::move(producer));
}

Result<Delivery> Producer::ProduceSync(std::string_view topic, std::int32_t partition,
                                       std::string_view key, std::string_view value,
                                       const std::vector<Header>& headers) {
  // Shared with the callback, which may outlast a spurious early return of this frame's stack.
  struct Wait {
    std::mutex mutex;
    std::condition_variable ready;
    std::optional<Result<Delivery>> result;
  };
  auto wait = std::make_shared<Wait>();
  Produce(topic, partition, key, value, headers, [wait](const Result<Delivery>& result) {
    const std::lock_guard lock(wait->mutex);
    wait->result = result;
    wait->ready.notify_one();
  });
  std::unique_lock lock(wait->mutex);
  wait->ready.wait(lock, [&] { return wait->result.has_value(); });
  return *wait->result;
}

}  // namespace liveops::kafka
