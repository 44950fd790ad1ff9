#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/result.h"
#include "common/config/config.h"
#include "services/ingest/service/core.h"
#include "services/ingest/source/statsd/aggregator.h"

namespace liveops::ingest {

struct StatsdSettings {
  std::string address;  // of UDP, on loopback; "" = none
  Duration flush_every{10'000};
  statsd::AggregatorSettings aggregator;

  bool enabled() const { return !address.empty(); }
};

// Keys:
//   statsd.address        e.g. 127.0.0.1:8125; a loopback address, since a datagram proves nobody
//   statsd.service        "statsd": whose points those are that have no tag `service`
//   statsd.flush_every    10s
//   statsd.forget_after   5min: a series without a value
//   statsd.series         10000: that are remembered; newcomers beyond are refused
StatsdSettings ReadStatsdSettings(config::Reader& reader);

// StatsD over UDP as points of Core, by the identity `statsd`. What Core does not take now goes
// again as it was, in order; the log's reader drops what it has. Beyond kPendingMax flushes the
// oldest is given up. Thread-safe.
class StatsdListener {
 public:
  static constexpr std::size_t kPendingMax = 30;

  // `core` must outlive it, and this must outlive the core's producer: once stopped it only waits
  // for answers. kInvalid: not a loopback address. kUnavailable: the port is taken.
  static Result<std::unique_ptr<StatsdListener>> Start(Core& core, StatsdSettings settings);
  ~StatsdListener();
  int port() const { return port_; }
  // Flushes once more, and reads no more. Idempotent.
  void Stop();
  void AddMetrics(metrics::List& list) const;

 private:
  struct Flush {
    std::vector<std::unique_ptr<admit::BatchBuilder>> batches;
    RealTime time{};
  };

  StatsdListener(Core& core, StatsdSettings settings)
      : core_(core), settings_(std::move(settings)), aggregator_(settings_.aggregator) {}
  Status Bind();
  void Run();
  void Receive(Duration patience);
  void Read(std::string_view packet);
  void FlushNow(SteadyTime now);
  void SendNext(SteadyTime now);

  Core& core_;
  const StatsdSettings settings_;
  int socket_ = -1;
  int port_ = 0;
  statsd::Aggregator aggregator_;  // of the thread
  SteadyTime flushed_{};
  std::atomic<bool> stopping_{false};
  std::thread thread_;

  std::mutex mutex_;
  std::deque<std::shared_ptr<const Flush>> pending_;
  bool awaited_ = false;
  SteadyTime not_before_{};  // of the next try

  std::atomic<std::uint64_t> packets_{0};
  std::atomic<std::uint64_t> values_{0};
  std::atomic<std::uint64_t> malformed_{0};
  std::atomic<std::uint64_t> unsupported_{0};
  std::atomic<std::uint64_t> no_room_{0};
  std::atomic<std::uint64_t> given_up_{0};
  std::atomic<std::size_t> known_series_{0};
};

}  // namespace liveops::ingest
