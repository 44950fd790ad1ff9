#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "common/base/labels.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/rpc/server.h"

// What a C++ service links to send its metrics to LiveOps.
//
//   auto client = client::Client::Start({.address = "127.0.0.1:7100", .service = "shop",
//                                        .emitter = "shop-0"});
//   const auto latency = client->Define({"http_request_duration", "ms", Kind::kObservation,
//                                        {{"endpoint", "/cart"}}});
//   client->Record(latency, 41.5);
//
// Points are gathered into batches, which go over one WriteSeries stream (ingest.proto): a series
// is spelled once a stream. A batch that was not answered is sent again, under the same sequence,
// until it is: it never counts twice. While ingest is away batches wait, up to a limit; then the
// oldest are given up, and counted.
namespace liveops::client {

enum class Kind { kCounterDelta = 1, kCounterCumulative = 2, kGauge = 3, kObservation = 4 };

struct Series {
  std::string metric;
  std::string unit;  // UCUM, e.g. "ms", "1", "%", "By"; "" = not declared
  Kind kind = Kind::kGauge;
  Labels::Pairs labels;
};

struct Options {
  std::string address;         // host:port of ingest
  rpc::TlsFiles tls{};         // empty: ingest's plain loopback listener
  std::string service;         // whose metrics they are
  std::string emitter;         // this instance, e.g. its host name; at most 128 bytes
  Duration send_every{1'000};  // steady; a full batch goes at once
  std::size_t batch_points = 1'000;
  std::size_t waiting_points = 200'000;  // beyond so many the oldest batch is given up
  std::size_t in_flight = 16;            // batches that wait for their answer
  Duration retry_first{100};             // steady; doubled for each try, with chance, up to
  Duration retry_longest{5'000};
};

struct Statistics {
  std::uint64_t accepted = 0;  // points that stand in the log
  std::uint64_t given_up = 0;  // points for which there was no room while ingest was away
  std::map<std::string, std::uint64_t> refused;  // points by reason: never to be sent again
  std::map<std::string, std::string> examples;   // one of them by reason, for people
  std::size_t waiting = 0;                       // points not answered yet
  bool connected = false;
  std::string last_error;  // why it is not; for people
};

// Thread-safe. Record never blocks on the network.
class Client {
 public:
  using SeriesId = std::uint32_t;

  static std::unique_ptr<Client> Start(Options options);
  virtual ~Client() = default;  // Flush what you care for first: this waits for nothing

  // The same series gives the same id. A client holds each for its life.
  virtual SeriesId Define(const Series& series) = 0;
  // `covered`: for counters, what lies between the start (of the count, or of this increase) and
  // `time`; 0 = not known.
  virtual void Record(SeriesId series, double value, RealTime time, Duration covered = {}) = 0;
  void Record(SeriesId series, double value) { Record(series, value, WallClockNow()); }

  // Sends what was recorded so far. True: all of it was answered within `timeout`.
  virtual bool Flush(Duration timeout) = 0;
  virtual Statistics statistics() const = 0;

  // What changed in the running service; shown beside its alarms. Blocks until it was answered, at
  // most `timeout`. kInvalid, kDenied: never. kUnavailable: not now.
  virtual Status ReportDeployment(const std::string& revision, const std::string& description,
                                  Duration timeout) = 0;
};

}  // namespace liveops::client
