#include "common/kafka/internal.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <chrono>
#include <future>
#include <thread>

namespace liveops::kafka::internal {
namespace {

constexpr std::chrono::seconds kEndsWithin{3};
constexpr int kServeMs = 100;

// The error that made the handle useless, told once.
Error TellFatal(rd_kafka_t* handle, Health& health) {
  char why[512] = "";
  const rd_kafka_resp_err_t cause = rd_kafka_fatal_error(handle, why, sizeof why);
  health.connected = false;
  Error error = ToError(
      cause, fmt::format("the Kafka client {} cannot go on, {}", rd_kafka_name(handle), why));
  if (error.code != ErrorCode::kConflict) error.code = ErrorCode::kInternal;
  if (!health.fatal_told.exchange(true) && health.on_fatal) health.on_fatal(error);
  return error;
}

void OnError(rd_kafka_t* handle, int err, const char*, void* opaque) {
  auto* health = static_cast<Health*>(opaque);
  if (health == nullptr) return;
  if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) health->connected = false;
  if (err == RD_KAFKA_RESP_ERR__FATAL) (void)TellFatal(handle, *health);
}

// librdkafka's own lines would not be JSON: what matters reaches the caller as an Error.
void OnLog(const rd_kafka_t*, int, const char*, const char*) {}

}  // namespace

Result<Conf> MakeConf(const ClientConfig& config, Health* health,
                      std::initializer_list<std::pair<const char*, std::string>> ours) {
  Conf conf(rd_kafka_conf_new());
  char why[512];
  const auto set = [&](const std::string& name, const std::string& value) -> Status {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why, sizeof why) !=
        RD_KAFKA_CONF_OK) {
      return InvalidError(fmt::format("Kafka property {}: {}", name, why));
    }
    return {};
  };
  for (const auto& [name, value] : config.extra) {
    if (Status s = set(name, value); !s.ok()) return s.error();
  }
  const std::pair<const char*, std::string> common[] = {
      {"bootstrap.servers", config.brokers}, {"client.id", config.client_id},
      {"log.connection.close", "false"},     {"socket.nagle.disable", "true"},
      {"socket.keepalive.enable", "true"},   {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "500"},   {"topic.metadata.refresh.interval.ms", "60000"},
      {"allow.auto.create.topics", "false"}, {"socket.timeout.ms", "10000"},
  };
  for (const auto& [name, value] : common) {
    if (Status s = set(name, value); !s.ok()) return s.error();
  }
  for (const auto& [name, value] : ours) {
    if (Status s = set(name, value); !s.ok()) return s.error();
  }
  if (health != nullptr) health->on_fatal = config.on_fatal;
  rd_kafka_conf_set_error_cb(conf.get(), &OnError);
  rd_kafka_conf_set_log_cb(conf.get(), &OnLog);
  rd_kafka_conf_set_opaque(conf.get(), health);
  return conf;
}

Result<rd_kafka_t*> MakeHandle(rd_kafka_type_t type, Conf conf) {
  char why[512];
  rd_kafka_t* handle = rd_kafka_new(type, conf.get(), why, sizeof why);
  if (handle == nullptr) return InvalidError(fmt::format("cannot make a Kafka client: {}", why));
  (void)conf.release();  // owned by the handle now
  return handle;
}

Error ToError(rd_kafka_resp_err_t err, std::string_view doing) {
  std::string message =
      fmt::format("{}: {} ({})", doing, rd_kafka_err2str(err), rd_kafka_err2name(err));
  switch (err) {
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
      return ConflictError(std::move(message));
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      return NotFoundError(std::move(message));
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return InvalidError(std::move(message));
    default:
      return UnavailableError(std::move(message));
  }
}

Record CopyRecord(const rd_kafka_message_t& message) {
  Record record;
  record.topic = rd_kafka_topic_name(message.rkt);
  record.partition = message.partition;
  record.offset = message.offset;
  rd_kafka_timestamp_type_t type{};
  record.append_time = RealFromMs(rd_kafka_message_timestamp(&message, &type));
  if (message.key != nullptr)
    record.key.assign(static_cast<const char*>(message.key), message.key_len);
  if (message.payload != nullptr)
    record.value.assign(static_cast<const char*>(message.payload), message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
      record.headers.push_back({name, value == nullptr
                                          ? std::string()
                                          : std::string(static_cast<const char*>(value), size)});
    }
  }
  return record;
}

void EndConsumer(rd_kafka_t* handle, std::shared_ptr<Health> health) {
  const SteadyTime until = std::chrono::steady_clock::now() + kEndsWithin;
  rd_kafka_queue_t* const events = rd_kafka_queue_new(handle);
  rd_kafka_error_t* const refused = rd_kafka_consumer_close_queue(handle, events);
  bool closed = refused != nullptr;  // there is nothing to close
  if (refused != nullptr) rd_kafka_error_destroy(refused);
  while (!closed && std::chrono::steady_clock::now() < until) {
    // Runs the rebalance callback; gives records that nobody reads any more.
    if (rd_kafka_message_t* unread = rd_kafka_consume_queue(events, kServeMs); unread != nullptr)
      rd_kafka_message_destroy(unread);
    closed = rd_kafka_consumer_closed(handle) == 1;
  }
  rd_kafka_queue_destroy(events);
  health->fatal_told = true;  // nobody is there to hear it
  std::promise<void> ended;
  const std::future<void> end = ended.get_future();
  const int flags = closed ? 0 : RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE;
  std::thread([handle, flags, kept = std::move(health), ended = std::move(ended)]() mutable {
    rd_kafka_destroy_flags(handle, flags);
    kept.reset();
    ended.set_value();
  }).detach();
  end.wait_until(until);
}

std::int64_t CachedEnd(rd_kafka_t* handle, const std::string& topic, std::int32_t partition) {
  std::int64_t low = 0;
  std::int64_t high = -1;
  if (handle == nullptr || rd_kafka_get_watermark_offsets(handle, topic.c_str(), partition, &low,
                                                          &high) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return -1;
  }
  return high < 0 ? -1 : high;
}

Result<std::optional<Record>> PollOnce(rd_kafka_t* handle, Health& health, Duration timeout,
                                       Ends* ends) {
  rd_kafka_message_t* message = rd_kafka_consumer_poll(handle, static_cast<int>(timeout.count()));
  if (message == nullptr) return std::optional<Record>();
  const rd_kafka_resp_err_t err = message->err;
  if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    health.connected = true;
    std::optional<Record> record = CopyRecord(*message);
    rd_kafka_message_destroy(message);
    return record;
  }
  if (err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    health.connected = true;
    if (ends != nullptr) ends->emplace(rd_kafka_topic_name(message->rkt), message->partition);
    rd_kafka_message_destroy(message);
    return std::optional<Record>();
  }
  const std::string where =
      message->rkt == nullptr
          ? std::string("reading")
          : fmt::format("reading {}/{}", rd_kafka_topic_name(message->rkt), message->partition);
  rd_kafka_message_destroy(message);
  if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || err == RD_KAFKA_RESP_ERR__TRANSPORT) {
    health.connected = false;
  }
  if (err == RD_KAFKA_RESP_ERR__FATAL) return TellFatal(handle, health);
  const Error error = ToError(err, where);
  if (error.code == ErrorCode::kUnavailable)
    return std::optional<Record>();  // librdkafka keeps trying
  return error;
}

}  // namespace liveops::kafka::internal

namespace liveops::kafka {

const std::string* Record::FindHeader(std::string_view name) const {
  for (const Header& header : headers) {
    if (header.name == name) return &header.value;
  }
  return nullptr;
}

}  // namespace liveops::kafka
