#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/kafka/kafka.h"
#include "common/rpc/server.h"
#include "common/telemetry/metrics.h"
#include "common/wire/metric_batch.h"
#include "liveops/v1/ingest.pb.h"
#include "liveops/v1/metrics.pb.h"
#include "services/ingest/admit/admit.h"
#include "services/ingest/admit/rate_limit.h"
#include "services/ingest/codec/otlp.h"
#include "services/ingest/codec/record_writer.h"
#include "services/ingest/service/census.h"
#include "services/ingest/service/clock.h"
#include "services/ingest/service/emitter_book.h"
#include "services/ingest/service/exemplars.h"
#include "services/ingest/service/refusals.h"
#include "services/ingest/service/spread_book.h"

namespace liveops::ingest {

struct Settings {
  std::string instance = "ingest-0";
  std::uint64_t session = 1;
  std::int32_t partitions = 16;
  admit::Limits limits;
  admit::RateLimits rates;
  std::size_t in_flight_bytes_max = 16u << 20;  // requests and their records, until answered
  std::size_t series_bytes_max = 256u << 20;    // what all open streams remember of their series
  std::size_t record_bytes_max = 900'000;       // of a Kafka record; brokers take 1 MiB by default
};

// Points of one service, as they came; views that need hold during the call only.
struct WriteInput {
  wire::Source source;
  admit::BatchInput batch;
  // What its points name: the series of their stream so far. nullptr: those of the batch.
  admit::SeriesTable* series = nullptr;
};

// Points of one service out of a request that may hold several services'.
struct ServicePoints {
  std::string_view service;
  admit::BatchInput batch;
  admit::SeriesTable* series = nullptr;  // as of WriteInput
  std::uint64_t points() const { return batch.points(); }
};

// A request that may hold several services' points, read. Views that need hold during the call
// only.
struct MixedInput {
  Protocol protocol = Protocol::kOtlp;
  std::span<const ServicePoints> points;
  std::vector<admit::Rejection> rejections;  // of what its codec did not take
  std::span<const std::pair<std::string, std::uint64_t>> refused{};  // thereof, to be told
  std::size_t bytes = 0;  // what the request takes in memory until it is answered
  // Who says it, and the number of the first of `points`, whose record has it; the next has the
  // next one. Without a number they are the peer's, and the reader goes by series and time.
  wire::Source source{};
  const char* way = nullptr;  // as EmitterName has it; nullptr = the protocol's word
  // In place of Limits::past, of points that come so late by their nature that their times are no
  // evidence of what time it is.
  std::optional<Duration> past{};
};

// What ingest does with a request, whatever protocol brought it: admit, append to the log, answer
// when the brokers have acknowledged. Never blocks; answers run on the producer's thread or inside
// the call. Thread-safe.
//
// Errors: kUnavailable: not now, send it again. kInvalid, kDenied: never. Every point that is not
// taken, now or ever, is told by the ticks as refused of its service, if the sender may write that.
class Core {
 public:
  using Done = EmitterBook::Done;

  // `producer` must outlive it; its message time-out decides how long an answer takes at most.
  Core(Settings settings, kafka::Producer& producer);

  // Requests are refused until Open was called, the clock has had its first report and the plans
  // were read, whenever the book of spreads is not fresh, and after Close.
  void Open(const TimeMap& map);
  void Close();
  bool accepting() const;
  bool connected() const { return producer_.connected(); }

  // `bytes`: what the request takes in memory until it is answered.
  void Write(const WriteInput& request, std::size_t bytes, const rpc::Peer& peer,
             std::string_view traceparent, Done done);
  // `request`: an ExportMetricsServiceRequest. An answer's rejections also hold what OTLP has and
  // LiveOps does not take.
  void Export(std::string_view request, const rpc::Peer& peer, std::string_view traceparent,
              Done done);
  // An observation with its trace came, for pages. False: the sender may not write its service, or
  // its time is none that a point of now may have.
  bool Offer(const rpc::Peer& peer, Exemplar exemplar, SteadyTime now);
  // All of a request were offered, whose points are taken next.
  void Offered(SteadyTime now) { exemplars_.FlushFirst(now, map()); }
  // A request of such a protocol came; its answer is counted on its way to `done`.
  Done Heard(const rpc::Peer& peer, Protocol protocol, std::size_t bytes, Done done);
  // Likewise, by a way in that is no Protocol of its own: counted under this word.
  Done Heard(const rpc::Peer& peer, const char* way, std::size_t bytes, Done done);
  // Likewise as Export, whatever protocol the points came by; `done` is of Heard.
  void Take(MixedInput request, const rpc::Peer& peer, std::string_view traceparent, Done done);
  // What this instance itself has to say of a service: as Write, but nobody is counted as its
  // sender, its times are no evidence of what time it is, and it is taken while the last requests
  // are answered, too. `done`, which knows no sender to tell, may be called inside the call.
  void WriteOwn(const WriteInput& request, SteadyTime now, Done done);
  void ReportDeployment(const v1::ReportDeploymentRequest& request, const rpc::Peer& peer,
                        std::string_view traceparent, std::function<void(const Status&)> done);
  void Decommission(const v1::DecommissionRequest& request, const rpc::Peer& peer,
                    std::string_view traceparent, std::function<void(const Status&)> done);

  // The present time of the brokers, or why nothing of so many bytes is taken now.
  Result<RealTime> Gate(std::size_t bytes) const;
  TimeMap map() const;
  // Appends one, whose source is filled in; `bytes` of the request are held until it is answered.
  // The sender may write the service.
  void Report(std::string_view service, v1::ShardRecord record, std::size_t bytes,
              std::string_view traceparent, std::function<void(const Status&)> done);
  void CountAlerts(std::uint64_t taken, std::uint64_t refused);

  static bool Allowed(const rpc::Peer& peer, std::string_view service);
  // kDenied, logged, unless the sender may write the service.
  static Status MayWrite(const rpc::Peer& peer, std::string_view service, std::uint64_t points);
  // kDenied, counted and logged, unless the sender may write the service.
  Status CheckWriter(const rpc::Peer& peer, std::string_view service, std::uint64_t points);
  // kUnavailable: the emitter is over its rate. Else it was taken off.
  Status TakeFromRate(const EmitterName& emitter, std::uint64_t points, std::size_t bytes);
  // Nothing of a batch is taken, and `why`: its points are counted and told by the ticks. The
  // sender may write the service.
  Error Refuse(std::string_view service, std::uint64_t points, Error why);

  // What the open streams remember of their series. kUnavailable: all together would take too much.
  Status RememberSeries(std::size_t bytes);
  void ForgetSeries(std::size_t bytes) { series_bytes_ -= bytes; }

  // The header for the record of a request: a span of the sender's trace, or a fresh trace.
  static std::string TraceHeader(std::string_view traceparent);

  const EmitterBook& emitters() const { return emitters_; }

  // After how long whoever was told UNAVAILABLE is to come again: by its rate limit, at least 1 s.
  Duration RetryAfter(std::string_view identity) const;

  // For the ticker.
  IngestClock& clock() { return clock_; }
  const Settings& settings() const { return settings_; }
  kafka::Producer& producer() { return producer_; }
  Exemplars& exemplars() { return exemplars_; }
  RefusalLedger& refusals() { return refusals_; }
  // For whoever follows the plans.
  SpreadBook& spreads() { return spreads_; }
  bool knows_spreads() const;
  void CountTick(bool delivered);
  void CountStaleMarkers(std::uint64_t count) { stale_markers_ += count; }
  // A call by HTTP was answered 401 (nobody's) or 403 (of somebody who is no emitter).
  void CountDeniedCall(int status) { ++(status == 401 ? unknown_callers_ : denied_callers_); }

  // Of this instance as a whole; and of its emitters, those that send most (kEmittersToldMax).
  static constexpr std::size_t kEmittersToldMax = 500;
  static constexpr std::size_t kServicesToldMax = 100;
  void AddMetrics(metrics::List& list) const;
  void AddEmitterMetrics(metrics::List& list) const;
  std::map<std::string, double> Counters() const;  // as GetStatus tells them
  double domain_speed() const;

 private:
  struct Outgoing {
    std::string_view service;
    std::int32_t partition = 0;
    std::string record;
    std::uint64_t points = 0;
  };

  // For the ticks to tell; `service` must be one that the sender may write.
  void Tell(std::string_view service, std::uint64_t points);
  void Count(const std::vector<admit::Rejection>& rejections);
  // Newcomers that the cardinality guard refused, by their service; of so many services at most.
  static constexpr std::size_t kNewcomersOfMax = 250;
  void CountNewcomers(std::string_view service, const std::vector<admit::Rejection>& rejections);
  // Admission by the clock as `emitter`'s events let it be seen. kUnavailable: their times are
  // refused by a clock that may prove wrong.
  Result<admit::Admission> Judge(const std::string& emitter, const admit::BatchInput& batch,
                                 admit::SeriesTable* series = nullptr,
                                 std::optional<Duration> past = std::nullopt);
  // The records of an admitted batch: one, or one for each partition that the service is spread
  // over and that a point belongs to. All have the batch's source.
  void Lay(const wire::Source& source, std::string_view service, Protocol protocol,
           const admit::Admitted& batch, std::vector<Outgoing>& out) const;
  // Appends all records of a request, of which there is at least one, and answers when all are
  // acknowledged. If one fails the request does.
  void Send(std::vector<Outgoing> records, std::size_t bytes, const std::string& trace_header,
            WriteAnswer answer, Done done);
  // Appends and calls `done` with the outcome; `bytes` of the request are held in flight meanwhile.
  void Append(Outgoing outgoing, std::size_t bytes, const std::string& trace_header,
              std::function<void(const Status&)> done);

  const Settings settings_;
  kafka::Producer& producer_;
  IngestClock clock_;
  Census census_;
  RefusalLedger refusals_;
  SpreadBook spreads_;
  EmitterBook emitters_;
  Exemplars exemplars_;
  mutable std::mutex rates_mutex_;
  admit::RateLimiter rates_;
  mutable std::mutex newcomers_mutex_;
  std::map<std::string, std::uint64_t, std::less<>> newcomers_;
  metrics::Seconds kafka_seconds_;
  mutable std::mutex map_mutex_;
  TimeMap map_;
  std::atomic<bool> open_{false};
  std::atomic<bool> closed_{false};
  std::atomic<std::size_t> in_flight_bytes_{0};
  std::atomic<std::size_t> series_bytes_{0};
  std::atomic<std::uint64_t> own_sequence_{0};

  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> accepted_points_{0};
  std::atomic<std::uint64_t> refused_points_{0};
  std::atomic<std::uint64_t> invalid_points_{0};
  std::atomic<std::uint64_t> no_value_points_{0};
  std::atomic<std::uint64_t> stale_markers_{0};
  std::atomic<std::uint64_t> deployments_{0};
  std::atomic<std::uint64_t> alerts_{0};
  std::atomic<std::uint64_t> refused_alerts_{0};
  std::atomic<std::uint64_t> decommissions_{0};
  std::atomic<std::uint64_t> unknown_callers_{0};
  std::atomic<std::uint64_t> denied_callers_{0};
  std::atomic<std::uint64_t> ticks_{0};
  std::atomic<std::uint64_t> ticks_lost_{0};
  std::array<std::atomic<std::uint64_t>, admit::kRefusals> rejected_points_{};
};

}  // namespace liveops::ingest
