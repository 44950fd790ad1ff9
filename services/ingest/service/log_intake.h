#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/kafka/kafka.h"
#include "common/rpc/server.h"
#include "common/telemetry/metrics.h"
#include "services/ingest/admit/log_line.h"
#include "services/ingest/codec/otlp_logs.h"
#include "services/ingest/service/core.h"
#include "services/ingest/service/log_counts.h"
#include "services/ingest/service/log_rules.h"

namespace liveops::ingest {

struct LogSettings {
  admit::LogLimits limits;
  // Requests and their records, until answered: apart from Settings::in_flight_bytes_max, and the
  // records go by a producer of their own, so no storm of lines takes the room or the connection of
  // points.
  std::size_t in_flight_bytes_max = 8u << 20;
};

// What ingest does with log lines, whatever protocol brought them: admit, append to logs.v1, answer
// when the brokers have acknowledged, and have them counted. Never blocks; answers run on the
// producer's thread or inside the call. Thread-safe.
//
// Errors: kUnavailable: not now, send it again. kInvalid: never. Lines that are refused count
// nowhere, and the ticks do not tell of them: the silence of a service's metrics proves what it
// proved.
class LogIntake {
 public:
  using Done = EmitterBook::Done;
  // Older lines are appended, but not counted: a backlog that somebody sends is no news.
  static constexpr Duration kCountedFor{60'000};

  // All must outlive it. `producer` is not the Core's.
  LogIntake(LogSettings settings, Core& core, kafka::Producer& producer, const LogRules& rules,
            LogCounts& counts)
      : settings_(std::move(settings)),
        core_(core),
        producer_(producer),
        rules_(rules),
        counts_(counts) {}

  // `request`: an ExportLogsServiceRequest.
  void Export(std::string_view request, const rpc::Peer& peer, std::string_view traceparent,
              Done done);
  // Lines that were read; `bytes`: what the request takes in memory until it is answered.
  void Take(OtlpLogs logs, std::size_t bytes, const rpc::Peer& peer, std::string_view traceparent,
            Done done);

  const LogSettings& settings() const { return settings_; }
  void AddMetrics(metrics::List& list) const;
  std::map<std::string, double> Counters() const;  // as GetStatus tells them
  // As Core::RetryAfter.
  Duration RetryAfter(std::string_view identity) const { return core_.RetryAfter(identity); }

 private:
  using Tallies = std::map<std::string, LogCounts::Tally>;  // by service
  struct Outgoing {
    std::int32_t partition = 0;
    std::string service;
    std::string record;
  };

  // Why nothing of so many bytes is taken now, or the present time. Holds the bytes.
  Result<RealTime> Enter(std::size_t bytes);
  // `landed` is answered when the last record is.
  void Send(std::vector<Outgoing> records, const std::string& trace_header, WriteAnswer answer,
            Done landed);
  // What came of a request: counts its lines once they stand in the log, and says so.
  void Answer(const Result<WriteAnswer>& result, const Tallies& tallies, const Done& done);
  void Count(const std::vector<admit::Rejection>& rejections);

  const LogSettings settings_;
  Core& core_;
  kafka::Producer& producer_;
  const LogRules& rules_;
  LogCounts& counts_;
  std::atomic<std::size_t> in_flight_bytes_{0};
  std::atomic<std::uint64_t> sequence_{0};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> accepted_lines_{0};
  std::atomic<std::uint64_t> refused_requests_{0};
  std::atomic<std::uint64_t> late_lines_{0};
  std::array<std::atomic<std::uint64_t>, admit::kRefusals> rejected_lines_{};
};

}  // namespace liveops::ingest
