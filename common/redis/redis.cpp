#include "common/redis/redis.h"

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

namespace liveops::redis {
namespace {

constexpr std::chrono::milliseconds kReconnectPause{500};

// Error answers that say "not now" rather than "never": the data set is being loaded, the primary
// is away or was just demoted, a script runs, the memory or the disk is full.
constexpr std::string_view kPassing[] = {
    "LOADING ",     "MASTERDOWN ", "BUSY ",    "TRYAGAIN ", "READONLY ",
    "CLUSTERDOWN ", "NOREPLICAS ", "MISCONF ", "OOM ",      "ERR max number of clients",
};
// After a fail-over the address may lead elsewhere, but an open connection still leads to the
// former primary.
constexpr std::string_view kDemoted = "READONLY ";

struct ContextDeleter {
  void operator()(redisContext* context) const { redisFree(context); }
};
struct ReplyDeleter {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using RawReply = std::unique_ptr<redisReply, ReplyDeleter>;

Reply Convert(const redisReply& raw) {
  Reply reply;
  switch (raw.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      reply.kind = Reply::Kind::kText;
      reply.text.assign(raw.str, raw.len);
      break;
    case REDIS_REPLY_INTEGER:
      reply.kind = Reply::Kind::kInteger;
      reply.integer = raw.integer;
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = Reply::Kind::kArray;
      for (std::size_t i = 0; i < raw.elements; ++i)
        reply.array.push_back(Convert(*raw.element[i]));
      break;
    default:
      reply.kind = Reply::Kind::kNil;
  }
  return reply;
}

}  // namespace

struct Client::Impl {
  explicit Impl(Config c) : config(std::move(c)) {}

  timeval Timeout() const {
    timeval t{};
    t.tv_sec = config.timeout.count() / 1000;
    t.tv_usec = static_cast<suseconds_t>(config.timeout.count() % 1000 * 1000);
    return t;
  }

  // Any doubt about the stream ends the connection.
  Error Drop(std::string why) {
    context.reset();
    is_connected = false;
    return UnavailableError(fmt::format("Redis at {}:{}: {}", config.host, config.port, why));
  }

  std::string ContextError() const {
    return context && context->err ? context->errstr : "no answer";
  }

  Status Connect() {
    if (context) return {};
    const auto now = std::chrono::steady_clock::now();
    if (now < next_attempt) return Drop("not connected");
    next_attempt = now + kReconnectPause;
    context.reset(redisConnectWithTimeout(config.host.c_str(), config.port, Timeout()));
    if (!context) return Drop("out of memory");
    if (context->err) return Drop(ContextError());
    if (redisSetTimeout(context.get(), Timeout()) != REDIS_OK) return Drop(ContextError());
    if (!config.password.empty()) {
      if (Status s = Append({"AUTH", config.password}); !s.ok()) return s;
      auto reply = Read();
      if (!reply.ok()) return Drop("authentication refused");
    }
    is_connected = true;
    next_attempt = {};
    return {};
  }

  Status Append(const Command& command) {
    std::vector<const char*> parts;
    std::vector<std::size_t> sizes;
    for (const std::string& part : command) {
      parts.push_back(part.data());
      sizes.push_back(part.size());
    }
    if (redisAppendCommandArgv(context.get(), static_cast<int>(parts.size()), parts.data(),
                               sizes.data()) != REDIS_OK) {
      return Drop(ContextError());
    }
    return {};
  }

  Result<Reply> Read() {
    void* raw = nullptr;
    if (redisGetReply(context.get(), &raw) != REDIS_OK || raw == nullptr)
      return Drop(ContextError());
    const RawReply reply(static_cast<redisReply*>(raw));
    if (reply->type == REDIS_REPLY_ERROR) {
      const std::string_view words(reply->str, reply->len);
      demoted |= words.starts_with(kDemoted);
      const bool passes =
          std::any_of(std::begin(kPassing), std::end(kPassing),
                      [&](std::string_view start) { return words.starts_with(start); });
      std::string message = fmt::format("Redis: {}", words);
      return passes ? UnavailableError(std::move(message)) : InvalidError(std::move(message));
    }
    return Convert(*reply);
  }

  Result<std::vector<Reply>> RunAll(const std::vector<Command>& commands) {
    if (Status s = Connect(); !s.ok()) return s.error();
    for (const Command& command : commands) {
      if (Status s = Append(command); !s.ok()) return s.error();
    }
    std::vector<Reply> replies;
    std::optional<Error> refused;
    for (std::size_t i = 0; i < commands.size(); ++i) {
      auto reply = Read();
      if (!reply.ok()) {
        if (!context) return reply.error();
        if (!refused) refused = reply.error();
        continue;  // the answers of the rest still stand in the stream
      }
      replies.push_back(std::move(*reply));
    }
    if (std::exchange(demoted, false)) {
      context.reset();
      is_connected = false;
    }
    if (refused) return *refused;
    return replies;
  }

  const Config config;
  std::mutex mutex;
  std::unique_ptr<redisContext, ContextDeleter> context;  // guarded by mutex
  std::chrono::steady_clock::time_point next_attempt{};   // guarded by mutex
  bool is_connected = false;                              // guarded by mutex
  bool demoted = false;                                   // guarded by mutex
};

Client::Client(Config config) : impl_(std::make_unique<Impl>(std::move(config))) {}
Client::~Client() = default;

Result<Reply> Client::Run(const Command& command) {
  auto replies = RunAll({command});
  if (!replies.ok()) return replies.error();
  return std::move(replies->front());
}

Result<std::vector<Reply>> Client::RunAll(const std::vector<Command>& commands) {
  if (commands.empty()) return std::vector<Reply>{};
  const std::lock_guard lock(impl_->mutex);
  return impl_->RunAll(commands);
}

Result<Reply> Client::Script(const std::string& script, const std::vector<std::string>& keys,
                             const std::vector<std::string>& args) {
  // EVAL carries the text each time; Redis compiles it once and caches it by hash. Ours are short
  // and rare.
  Command command{"EVAL", script, std::to_string(keys.size())};
  command.insert(command.end(), keys.begin(), keys.end());
  command.insert(command.end(), args.begin(), args.end());
  return Run(command);
}

bool Client::connected() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->is_connected;
}

}  // namespace liveops::redis
