#include "common/runtime/process.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <thread>

#include "common/telemetry/log.h"

namespace liveops::runtime {

CommonConfig ReadCommonConfig(config::Reader& reader, const std::string& service) {
  CommonConfig c;
  c.instance = reader.String("instance", service + "-0");
  c.kafka.brokers = reader.Require("kafka.brokers");
  c.kafka.client_id = c.instance;
  c.kafka.extra = reader.Map("kafka.properties");
  c.topics.partitions = static_cast<std::int32_t>(reader.Integer("kafka.partitions", 16));
  if (c.topics.partitions < 1 || c.topics.partitions > 1024) {
    reader.Problem("kafka.partitions", "must be between 1 and 1024");
  }
  c.topics.replication = static_cast<std::int32_t>(reader.Integer("kafka.replication", 1));
  c.topics.domain_speed = reader.Number("domain_speed", 0);
  if (c.topics.domain_speed < 0 || c.topics.domain_speed > 1000) {
    reader.Problem("domain_speed", "must be between 0 (whatever the installation has) and 1000");
  }
  c.grpc.address = reader.String("grpc.address", "127.0.0.1:0");
  c.grpc.plain_address = reader.String("grpc.plain_address");
  c.grpc.tls.ca = reader.String("grpc.ca");
  c.grpc.tls.cert = reader.String("grpc.cert");
  c.grpc.tls.key = reader.String("grpc.key");
  if (!c.grpc.address.empty() &&
      (c.grpc.tls.ca.empty() || c.grpc.tls.cert.empty() || c.grpc.tls.key.empty())) {
    reader.Problem("grpc.address", "a listener needs grpc.ca, grpc.cert and grpc.key (PEM files)");
  }
  c.metrics_address = reader.String("metrics.address");
  c.port_file = reader.String("port_file");
  c.log_level = reader.String("log.level", "info");
  const std::vector<std::string> levels{"debug", "info", "warn", "error"};
  if (std::find(levels.begin(), levels.end(), c.log_level) == levels.end()) {
    reader.Problem(
        "log.level",
        fmt::format("\"{}\" is not a level: one of debug, info, warn, error", c.log_level));
  }
  return c;
}

namespace {

sigset_t StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

StopSignal::StopSignal() {
  const sigset_t set = StopSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A peer that closed its connection is an error of that write, not the end of the process.
  signal(SIGPIPE, SIG_IGN);
}

bool StopSignal::WaitFor(Duration timeout) {
  if (requested_) return true;
  const sigset_t set = StopSignals();
  timespec wait{};
  wait.tv_sec = timeout.count() / 1000;
  wait.tv_nsec = timeout.count() % 1000 * 1'000'000;
  if (sigtimedwait(&set, nullptr, &wait) > 0) requested_ = true;
  return requested_;
}

bool StopSignal::requested() const {
  if (requested_) return true;
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

void StopSignal::Request() {
  requested_ = true;
  kill(getpid(),
       SIGTERM);  // wakes the waiter; the signal is blocked everywhere, so nothing else happens
}

void StopSignal::Fail(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = error;
  }
  log::Error("cannot_go_on", {{"code", ErrorCodeName(error.code)}, {"error", error.message}});
  Request();
}

std::optional<Error> StopSignal::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void CleanupStack::Push(std::string name, std::function<void()> cleanup) {
  stack_.emplace_back(std::move(name), std::move(cleanup));
}

void CleanupStack::RunAll() {
  while (!stack_.empty()) {
    const auto [name, cleanup] = std::move(stack_.back());
    stack_.pop_back();
    const auto begin = std::chrono::steady_clock::now();
    cleanup();
    const auto took =
        std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begin);
    log::Info("stopped", {{"part", name}, {"took_ms", static_cast<std::int64_t>(took.count())}});
  }
}

Status WritePortFile(const std::string& path, const Ports& ports) {
  if (path.empty()) return {};
  const std::string temporary = path + ".new";
  {
    std::ofstream out(temporary, std::ios::trunc);
    out << fmt::format("{{\"port\":{},\"plain_port\":{}", ports.grpc, ports.grpc_plain);
    if (ports.http != 0 || ports.http_plain != 0) {
      out << fmt::format(",\"http_port\":{},\"http_plain_port\":{}", ports.http, ports.http_plain);
    }
    if (ports.metrics != 0) out << fmt::format(",\"metrics_port\":{}", ports.metrics);
    out << fmt::format(",\"pid\":{}}}\n", getpid());
    out.flush();
    if (!out)
      return InvalidError(
          fmt::format("cannot write port file {}: {}", temporary, std::strerror(errno)));
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    return InvalidError(fmt::format("cannot write port file {}: {}", path, std::strerror(errno)));
  }
  return {};
}

std::uint64_t NewSession() {
  std::random_device device;
  const std::uint64_t session = (static_cast<std::uint64_t>(device()) << 32) | device();
  return session == 0 ? 1 : session;
}

Status RetryUntilStop(StopSignal& stop, std::string_view what,
                      const std::function<Status()>& attempt) {
  Duration pause(100);
  auto last_said = std::chrono::steady_clock::time_point{};
  while (true) {
    Status result = attempt();
    if (result.ok()) return result;
    const ErrorCode code = result.error().code;
    if (code != ErrorCode::kUnavailable && code != ErrorCode::kTimeout) return result;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_said >= std::chrono::seconds(5)) {
      last_said = now;
      log::Warn("waiting", {{"for", what}, {"because", result.error().message}});
    }
    if (stop.WaitFor(pause)) return result;
    pause = std::min(pause * 2, Duration(2000));
  }
}

Instant SteadyDomainClock::Reckon(SteadyTime now) const {
  if (!anchored_ || now <= seen_) return anchor_;
  const double elapsed = std::chrono::duration<double, std::milli>(now - seen_).count();
  return anchor_ + Duration(static_cast<std::int64_t>(elapsed * speed_));
}

void SteadyDomainClock::Anchor(Instant clock, SteadyTime seen) {
  if (!anchored_) {
    anchored_ = true;
    anchor_ = clock;
    seen_ = seen;
    return;
  }
  const Instant reckoned = Reckon(seen);
  const auto allowed = Duration(static_cast<std::int64_t>(2000 * std::max(1.0, speed_)));
  if (clock <= reckoned) {
    disputed_ = 0;
    return;  // an older record, or clocks that agree: never back
  }
  if (clock - reckoned <= allowed) {
    disputed_ = 0;
    anchor_ = clock;
    seen_ = seen;
    return;
  }
  // A leap. One writer's clock must not carry us off: it takes several that agree, over some steady
  // time.
  const double since = std::chrono::duration<double, std::milli>(seen - disputed_seen_).count();
  const Instant expected = disputed_first_ + Duration(static_cast<std::int64_t>(since * speed_));
  if (disputed_ == 0 || clock > expected + allowed || clock + allowed < expected) {
    disputed_ = 1;
    disputed_first_ = clock;
    disputed_seen_ = seen;
    return;
  }
  if (++disputed_ >= 3 && since >= 2000) {
    disputed_ = 0;
    anchor_ = clock;
    seen_ = seen;
  }
}

Instant SteadyDomainClock::Now(SteadyTime now) const { return Reckon(now); }

}  // namespace liveops::runtime
