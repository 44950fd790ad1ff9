#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/log_level.h"
#include "common/base/time.h"
#include "services/ingest/admit/batch_builder.h"
#include "services/ingest/admit/log_line.h"
#include "services/ingest/service/core.h"
#include "services/ingest/service/log_rules.h"

namespace liveops::ingest {

// As whom an instance writes log lines, and what it counts of them: "ingest-0/logs".
inline std::string LogEmitterOf(const Core& core) { return core.settings().instance + "/logs"; }

// What is counted of log lines becomes samples of their service, in metrics.v1, once a second:
//   log_events{level, ingest}      counter delta: lines of each level
//   log_slow_queries{ingest}       counter delta: lines of slow queries
//   NAME{ingest}                   counter delta, for each name under `logs:` in the service's plan
// so a storm of lines is no more samples than a few lines are. `ingest` is this instance: each
// counts what came to it. Counts of 0 are written, too: for as long as the service's plan names
// counts, else for kIdle after its last line. A sample that Kafka did not acknowledge is sent again
// as it was, under the same sequence, so that it counts once; lines that come meanwhile are in the
// one after it. Thread-safe.
class LogCounts {
 public:
  static constexpr Duration kPeriod{1000};
  static constexpr Duration kIdle{600'000};
  static constexpr std::size_t kServicesMax = 10'000;  // lines of others are not counted

  // Of the lines of one service in one request.
  struct Tally {
    std::array<std::uint64_t, kLogLevels.size()> levels{};
    std::uint64_t slow_queries = 0;
    std::map<std::string, std::uint64_t, std::less<>> named;

    void Add(const admit::LogLine& line, const std::vector<plan::LogCount>* counts);
    void Add(const Tally& other);
  };

  LogCounts(Core& core, const LogRules& rules) : core_(core), rules_(rules) {}

  // Lines that Kafka has acknowledged.
  void Add(std::string_view service, const Tally& tally, SteadyTime now);

  // Writes what is due, if a period is over or this is the `last` time. For the ticker's thread.
  void Flush(SteadyTime now, bool last);

  std::uint64_t not_counted() const;  // lines beyond kServicesMax services

 private:
  // The samples of a service as they are sent, if need be again.
  struct Pending {
    std::uint64_t sequence = 0;
    RealTime time{};
    std::shared_ptr<const admit::BatchBuilder> points;
    bool under_way = false;
  };
  struct Service {
    Tally tally;
    SteadyTime heard{};
    std::int64_t told_ms = 0;  // the time of the last samples; 0 = none
    std::optional<Pending> pending;
  };

  void Wake(SteadyTime now);
  Pending Take(const std::string& name, Service& service, std::int64_t now_ms);
  void Send(const std::string& name, const Pending& pending, SteadyTime now);
  void Landed(const std::string& name, std::uint64_t sequence, const Result<WriteAnswer>& result);

  Core& core_;
  const LogRules& rules_;
  mutable std::mutex mutex_;
  std::map<std::string, Service, std::less<>> services_;
  SteadyTime flushed_{};
  std::uint64_t sequence_ = 0;
  std::uint64_t not_counted_ = 0;
};

}  // namespace liveops::ingest
