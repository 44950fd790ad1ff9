#include "services/ingest/service/statsd_listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "common/base/host_port.h"
#include "common/telemetry/log.h"

namespace liveops::ingest {
namespace {

constexpr const char* kWay = "statsd";
constexpr Duration kLook(200);  // how soon a stop is seen, and what waits is tried
constexpr Duration kRetryAfter(1'000);
constexpr int kReceiveBytes = 4 << 20;  // of the socket: what comes while the thread does not run
constexpr std::size_t kDatagramMax = 65'536;
constexpr int kDatagramsAtOnce = 1'000;

bool IsLoopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(address);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  }
  return address->sa_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
}

SteadyTime SteadyNow() { return std::chrono::steady_clock::now(); }

}  // namespace

StatsdSettings ReadStatsdSettings(config::Reader& reader) {
  StatsdSettings out;
  out.address = reader.String("statsd.address");
  out.aggregator.service = reader.String("statsd.service", out.aggregator.service);
  if (out.aggregator.service.empty()) reader.Problem("statsd.service", "must have a name");
  out.flush_every = reader.Time("statsd.flush_every", out.flush_every);
  if (out.flush_every < Duration(100) || out.flush_every > Duration(60'000))
    reader.Problem("statsd.flush_every", "must be between 100ms and 1min");
  out.aggregator.forget_after = reader.Time("statsd.forget_after", out.aggregator.forget_after);
  if (out.aggregator.forget_after < out.flush_every)
    reader.Problem("statsd.forget_after", "must be at least statsd.flush_every");
  const std::int64_t series =
      reader.Integer("statsd.series", static_cast<std::int64_t>(out.aggregator.series));
  if (series < 1) reader.Problem("statsd.series", "must be at least 1");
  out.aggregator.series = static_cast<std::size_t>(std::max<std::int64_t>(series, 1));
  return out;
}

Result<std::unique_ptr<StatsdListener>> StatsdListener::Start(Core& core, StatsdSettings settings) {
  std::unique_ptr<StatsdListener> listener(new StatsdListener(core, std::move(settings)));
  if (const Status s = listener->Bind(); !s) return s.error();
  listener->flushed_ = SteadyNow();
  listener->thread_ = std::thread([self = listener.get()] { self->Run(); });
  return listener;
}

Status StatsdListener::Bind() {
  const Result<HostPort> at = ParseHostPort(settings_.address);
  if (!at) return at.error();
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* raw = nullptr;
  if (::getaddrinfo(at->host.c_str(), std::to_string(at->port).c_str(), &hints, &raw) != 0)
    return InvalidError("cannot resolve \"" + settings_.address + "\"");
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found(raw, &::freeaddrinfo);
  if (!IsLoopback(found->ai_addr)) {
    return InvalidError("\"" + settings_.address +
                        "\" is not a loopback address; StatsD names no sender, so only "
                        "127.0.0.1 or [::1] may listen");
  }
  socket_ = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0 || ::bind(socket_, found->ai_addr, found->ai_addrlen) != 0) {
    return UnavailableError("cannot listen on " + settings_.address + ": " + std::strerror(errno));
  }
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof kReceiveBytes);
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(socket_, reinterpret_cast<sockaddr*>(&bound), &size);
  port_ = ntohs(bound.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(bound).sin_port
                                           : reinterpret_cast<sockaddr_in6&>(bound).sin6_port);
  return {};
}

StatsdListener::~StatsdListener() {
  Stop();
  if (socket_ >= 0) ::close(socket_);
}

void StatsdListener::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void StatsdListener::Run() {
  while (!stopping_) {
    const SteadyTime due = flushed_ + settings_.flush_every;
    const auto left = std::chrono::duration_cast<Duration>(due - SteadyNow());
    Receive(std::clamp(left, Duration(0), kLook));
    const SteadyTime now = SteadyNow();
    if (now >= due) FlushNow(now);
    SendNext(now);
  }
  Receive(Duration(0));
  FlushNow(SteadyNow());
  SendNext(SteadyNow());
}

void StatsdListener::Receive(Duration patience) {
  pollfd wait{socket_, POLLIN, 0};
  if (::poll(&wait, 1, static_cast<int>(patience.count())) <= 0) return;
  std::array<char, kDatagramMax> bytes;
  for (int i = 0; i < kDatagramsAtOnce; ++i) {
    const ssize_t size = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size < 0) return;
    Read({bytes.data(), static_cast<std::size_t>(size)});
  }
}

void StatsdListener::Read(std::string_view packet) {
  const SteadyTime now = SteadyNow();
  const statsd::PacketCount count = statsd::ReadPacket(packet, [&](const statsd::Sample& sample) {
    if (!aggregator_.Add(sample, now)) ++no_room_;
  });
  ++packets_;
  values_ += count.values;
  malformed_ += count.malformed;
  unsupported_ += count.unsupported;
  known_series_ = aggregator_.size();
}

void StatsdListener::FlushNow(SteadyTime now) {
  const auto time = core_.clock().Now(now);
  if (!time) return;  // it goes on to gather until ingest knows the time
  auto flush = std::make_shared<Flush>();
  flush->batches = aggregator_.Flush(flushed_, now);
  flush->time = *time;
  flushed_ = now;
  known_series_ = aggregator_.size();
  if (flush->batches.empty()) return;
  const std::lock_guard lock(mutex_);
  pending_.push_back(std::move(flush));
  // The first one may be under way: it then is answered, or given up with the next.
  if (pending_.size() > kPendingMax) {
    pending_.erase(pending_.begin() + (awaited_ ? 1 : 0));
    ++given_up_;
  }
}

void StatsdListener::SendNext(SteadyTime now) {
  std::shared_ptr<const Flush> flush;
  {
    const std::lock_guard lock(mutex_);
    if (awaited_ || pending_.empty() || now < not_before_) return;
    flush = pending_.front();
    awaited_ = true;
  }
  const rpc::Peer peer{kWay, {rpc::Role::kEmitter}, {}};
  std::vector<ServicePoints> points;
  std::size_t bytes = 0;
  for (const auto& batch : flush->batches) {
    points.push_back({batch->service(), batch->Input(flush->time)});
    bytes += batch->bytes();
  }
  const auto answered = [this, flush](const Result<WriteAnswer>& result) {
    const std::lock_guard lock(mutex_);
    awaited_ = false;
    if (!result && result.error().code == ErrorCode::kUnavailable) {
      not_before_ = SteadyNow() + kRetryAfter;
      return;
    }
    pending_.pop_front();
  };
  MixedInput input;
  input.protocol = Protocol::kNative;  // as early as that; without a sequence, so time orders it
  input.way = kWay;
  input.points = points;
  input.bytes = bytes;
  core_.Take(std::move(input), peer, "", core_.Heard(peer, kWay, bytes, answered));
}

void StatsdListener::AddMetrics(metrics::List& list) const {
  const auto count = [&](const char* name, const char* help, std::uint64_t value) {
    list.Counter(std::string("ingest_statsd_") + name, help, static_cast<double>(value),
                 std::string("statsd_") + std::string(name, std::strlen(name) - 6));
  };
  count("packets_total", "StatsD datagrams that came.", packets_);
  count("values_total", "Values in them.", values_);
  count("malformed_lines_total", "StatsD lines that are none.", malformed_);
  count("unsupported_lines_total",
        "StatsD lines of a form that is not taken: sets, events, counters that fall.",
        unsupported_);
  count("values_without_room_total", "Values of new series beyond statsd.series.", no_room_);
  count("flushes_given_up_total",
        "Flushes for which there was no room while they could not be "
        "written.",
        given_up_);
  list.Gauge("ingest_statsd_series", "StatsD series that are remembered.",
             static_cast<double>(known_series_), "statsd_series");
}

}  // namespace liveops::ingest
