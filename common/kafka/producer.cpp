#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "common/kafka/internal.h"

namespace liveops::kafka {
namespace {

using internal::ToError;

// librdkafka sends nothing more of a partition while five of its records are not acknowledged
// (RD_KAFKA_IDEMP_MAX_INFLIGHT), and if more wait its broker thread spins until then: 2.0.2
// computes the next wake-up before it looks at what is in flight (rd_kafka_toppar_producer_serve).
// So what it could not send waits here.
constexpr std::size_t kHandedMax = 5;
// Small records are handed over together.
constexpr std::size_t kTogetherBytes = 64 << 10;
// How long a record that waits may outstay its time.
constexpr int kPollMs = 100;

class RdProducer final : public Producer {
 public:
  explicit RdProducer(const Options& options)
      : queue_bytes_max_(options.queue_bytes_max),
        message_timeout_(options.message_timeout),
        handed_max_(options.gather > Duration(0) ? SIZE_MAX : kHandedMax) {}

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
      while (!stop_) {
        rd_kafka_poll(handle_, kPollMs);
        Expire();
      }
    });
    return {};
  }

  ~RdProducer() override {
    stop_ = true;
    if (poller_.joinable()) poller_.join();
    if (handle_ == nullptr) return;
    // What is still queued fails now, so that every callback runs exactly once.
    Failures left;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      for (auto& [where, lane] : lanes_) FailWaiting(lane, "the producer ends", left);
    }
    Fail(left);
    rd_kafka_purge(handle_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(handle_, 1000);
    rd_kafka_destroy(handle_);
  }

  void Produce(std::string_view topic, std::int32_t partition, std::string_view key,
               std::string value, const std::vector<Header>& headers, Delivered done) override {
    const std::size_t size = key.size() + value.size();
    if (queued_bytes_ + size > queue_bytes_max_) {
      if (done)
        done(UnavailableError(
            fmt::format("the producer's queue holds {} bytes, its limit", queued_bytes_.load())));
      return;
    }
    auto pending = std::make_unique<Pending>(
        Pending{this, nullptr, size, std::chrono::steady_clock::now() + message_timeout_,
                std::string(key), std::move(value), headers, std::move(done)});
    queued_bytes_ += size;
    Failures failed;
    {
      const std::lock_guard lock(mutex_);
      Lane& lane = LaneOf(topic, partition);
      pending->lane = &lane;
      lane.waiting.push_back(std::move(pending));
      HandOver(lane, failed);
    }
    Fail(failed);
  }

  bool Flush(Duration timeout) override {
    const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
    while (true) {
      const auto left =
          std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now());
      const int left_ms = std::max(0, static_cast<int>(left.count()));
      const bool flushed = rd_kafka_flush(handle_, left_ms) == RD_KAFKA_RESP_ERR_NO_ERROR;
      if (flushed && queued_bytes_ == 0) return true;
      if (left_ms == 0) return false;
      // A delivery that makes room for what waits is being told.
      if (flushed) std::this_thread::sleep_for(Duration(1));
    }
  }
  bool connected() const override { return health_.connected; }
  std::size_t queued_bytes() const override { return queued_bytes_; }

 private:
  struct Lane;
  // A record until it is acknowledged or failed; librdkafka reads the value where it lies.
  struct Pending {
    RdProducer* producer;
    Lane* lane;
    std::size_t size;
    SteadyTime deadline;
    std::string key;
    std::string value;
    std::vector<Header> headers;
    Delivered done;
  };
  // The records to one partition, in order.
  struct Lane {
    std::string topic;
    std::int32_t partition = 0;
    std::size_t handed = 0;  // to librdkafka, which has not answered
    std::deque<std::unique_ptr<Pending>> waiting;
  };
  struct ByPlace {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const {
      const auto key = [](const auto& where) {
        return std::pair(std::string_view(where.first), where.second);
      };
      return key(a) < key(b);
    }
  };
  using Failures = std::vector<std::pair<std::unique_ptr<Pending>, Error>>;

  Lane& LaneOf(std::string_view topic, std::int32_t partition) {
    const auto found = lanes_.find(std::pair(topic, partition));
    if (found != lanes_.end()) return found->second;
    Lane& made = lanes_[{std::string(topic), partition}];
    made.topic = topic;
    made.partition = partition;
    return made;
  }

  // As many as librdkafka can send now. Under the mutex, which keeps the order; what fails is to be
  // told outside of it.
  void HandOver(Lane& lane, Failures& failed) {
    if (lane.handed >= handed_max_ || closed_) return;
    for (std::size_t bytes = 0; !lane.waiting.empty();) {
      Pending& next = *lane.waiting.front();
      bytes += next.size;
      if (lane.handed >= handed_max_ && bytes > kTogetherBytes) return;
      std::unique_ptr<Pending> pending = std::move(lane.waiting.front());
      lane.waiting.pop_front();
      if (std::optional<Error> error = Enqueue(*pending)) {
        failed.emplace_back(std::move(pending), *std::move(error));
      } else {
        ++lane.handed;
        (void)pending.release();  // comes back with its delivery
      }
    }
  }

  std::optional<Error> Enqueue(Pending& pending) {
    rd_kafka_headers_t* list = nullptr;
    if (!pending.headers.empty()) {
      list = rd_kafka_headers_new(pending.headers.size());
      for (const Header& header : pending.headers) {
        rd_kafka_header_add(list, header.name.data(), static_cast<ssize_t>(header.name.size()),
                            header.value.data(), static_cast<ssize_t>(header.value.size()));
      }
    }
    rd_kafka_vu_t arguments[7];
    std::size_t n = 0;
    const auto argument = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
      arguments[n].vtype = type;
      return arguments[n++];
    };
    argument(RD_KAFKA_VTYPE_TOPIC).u.cstr = pending.lane->topic.c_str();
    argument(RD_KAFKA_VTYPE_PARTITION).u.i32 = pending.lane->partition;
    argument(RD_KAFKA_VTYPE_KEY).u.mem = {pending.key.data(), pending.key.size()};
    // A tombstone is a null payload, not an empty one.
    argument(RD_KAFKA_VTYPE_VALUE).u.mem = {pending.value.empty() ? nullptr : pending.value.data(),
                                            pending.value.size()};
    argument(RD_KAFKA_VTYPE_MSGFLAGS).u.i = 0;  // neither copied nor freed
    argument(RD_KAFKA_VTYPE_OPAQUE).u.ptr = &pending;
    if (list != nullptr) argument(RD_KAFKA_VTYPE_HEADERS).u.headers = list;
    rd_kafka_error_t* const error = rd_kafka_produceva(handle_, arguments, n);
    if (error == nullptr) return std::nullopt;
    if (list != nullptr) rd_kafka_headers_destroy(list);
    const Error ours = ToError(rd_kafka_error_code(error), Writing(*pending.lane));
    rd_kafka_error_destroy(error);
    return ours;
  }

  static std::string Writing(const Lane& lane) {
    return fmt::format("writing {}/{}", lane.topic, lane.partition);
  }

  static void Finish(std::unique_ptr<Pending> pending, const Result<Delivery>& result) {
    pending->producer->queued_bytes_ -= pending->size;
    const Delivered done = std::move(pending->done);
    pending.reset();
    if (done) done(result);
  }
  static void Fail(Failures& failures) {
    for (auto& [pending, error] : failures) Finish(std::move(pending), error);
  }
  // Under the mutex.
  static void FailWaiting(Lane& lane, const char* why, Failures& failed) {
    for (auto& pending : lane.waiting)
      failed.emplace_back(std::move(pending), UnavailableError(Writing(lane) + ": " + why));
    lane.waiting.clear();
  }

  // What waited for longer than a record may.
  void Expire() {
    Failures expired;
    {
      const std::lock_guard lock(mutex_);
      const SteadyTime now = std::chrono::steady_clock::now();
      for (auto& [where, lane] : lanes_) {
        while (!lane.waiting.empty() && lane.waiting.front()->deadline <= now) {
          expired.emplace_back(
              std::move(lane.waiting.front()),
              UnavailableError(Writing(lane) + ": those before it are not acknowledged"));
          lane.waiting.pop_front();
        }
      }
    }
    Fail(expired);
  }

  static void OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
    std::unique_ptr<Pending> pending(static_cast<Pending*>(message->_private));
    RdProducer& self = *pending->producer;
    Lane& lane = *pending->lane;
    const bool timed_out = message->err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT;
    if (timed_out) self.health_.connected = false;
    Failures failed;
    {
      const std::lock_guard lock(self.mutex_);
      --lane.handed;
      // Who waits behind it would be answered too late.
      if (timed_out) FailWaiting(lane, "those before it timed out", failed);
      self.HandOver(lane, failed);
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      Finish(std::move(pending), ToError(message->err, Writing(lane)));
    } else {
      self.health_.connected = true;
      rd_kafka_timestamp_type_t type{};
      Finish(std::move(pending),
             Delivery{message->offset, RealFromMs(rd_kafka_message_timestamp(message, &type))});
    }
    Fail(failed);
  }

  const std::size_t queue_bytes_max_;
  const Duration message_timeout_;
  const std::size_t handed_max_;
  internal::Health health_;
  rd_kafka_t* handle_ = nullptr;
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> queued_bytes_{0};
  std::mutex mutex_;
  bool closed_ = false;
  std::map<std::pair<std::string, std::int32_t>, Lane, ByPlace> lanes_;
  std::thread poller_;
};

}  // namespace

Result<std::unique_ptr<Producer>> Producer::Create(const ClientConfig& config, Options options) {
  auto producer = std::make_unique<RdProducer>(options);
  if (Status s = producer->Start(config, options); !s.ok()) return s.error();
  return std::unique_ptr<Producer>(std::move(producer));
}

Result<Delivery> Producer::ProduceSync(std::string_view topic, std::int32_t partition,
                                       std::string_view key, std::string value,
                                       const std::vector<Header>& headers) {
  // Shared with the callback, which may outlast a spurious early return of this frame's stack.
  struct Wait {
    std::mutex mutex;
    std::condition_variable ready;
    std::optional<Result<Delivery>> result;
  };
  auto wait = std::make_shared<Wait>();
  Produce(topic, partition, key, std::move(value), headers, [wait](const Result<Delivery>& result) {
    const std::lock_guard lock(wait->mutex);
    wait->result = result;
    wait->ready.notify_one();
  });
  std::unique_lock lock(wait->mutex);
  wait->ready.wait(lock, [&] { return wait->result.has_value(); });
  return *wait->result;
}

}  // namespace liveops::kafka
