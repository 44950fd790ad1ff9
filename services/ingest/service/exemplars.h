#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/time.h"
#include "common/kafka/kafka.h"
#include "common/telemetry/metrics.h"
#include "liveops/v1/logs.pb.h"
#include "services/ingest/codec/exemplar.h"

namespace liveops::ingest {

// Of all observations that come with a trace, those that say most go to logs.v1, once a second:
// of each series the greatest of the second, if it is among the kEach greatest of its minute. So
// what a page wants to show is in the log a second after it came, and is a trickle however many
// requests there are. What is greater than all of its series' minute does not wait for that second:
// it may be the one that fires. A label tells the failed ones from the others, so that both are
// kept. Thread-safe.
class Exemplars {
 public:
  static constexpr Duration kPeriod{1000};
  static constexpr Duration kMinute{60'000};
  static constexpr Duration kBetween{200};  // records of a service that do not wait
  static constexpr std::size_t kEach = 3;
  static constexpr std::size_t kSeriesMax = 20'000;           // in a minute; of others none is kept
  static constexpr std::size_t kRecordBytesMax = 128u << 10;  // of a service and second

  // The sender may write its service. One without valid ids, or of no finite value, is no use.
  void Offer(Exemplar exemplar, SteadyTime now);

  // Where they go, as what.
  struct Target {
    kafka::Producer* producer = nullptr;
    std::string instance;
    std::uint64_t session = 0;
    std::int32_t partitions = 0;
  };
  // Before anything is offered; without it nothing is written.
  void WriteTo(Target target) { target_ = std::move(target); }
  // Writes what is due, if a period is over. Nobody hears of one that does not arrive.
  void Flush(SteadyTime now, const TimeMap& map);
  // Writes what does not wait, of what was offered. Before the points of the same request are
  // written, it is mostly with who pages before the alarm is.
  void FlushFirst(SteadyTime now, const TimeMap& map);

  void AddMetrics(metrics::List& list) const;

 private:
  using Key = std::pair<std::string, std::string>;  // service; metric and labels
  using Batches = std::map<std::string, v1::LogBatch>;
  struct Series {
    // Written this minute, greatest first.
    std::array<double, kEach> told = [] {
      std::array<double, kEach> none{};
      none.fill(-std::numeric_limits<double>::infinity());
      return none;
    }();
    std::optional<Exemplar> next;
  };

  // Of a service's series from here on, what waits goes into its record.
  void Take(std::map<Key, Series>::iterator from, const TimeMap& map, Batches& out);
  void Write(Batches batches);

  Target target_;
  std::mutex mutex_;
  std::map<Key, Series> series_;
  std::set<std::string> first_;                      // services of which something does not wait
  std::map<std::string, SteadyTime> first_written_;  // this minute
  SteadyTime minute_{};
  SteadyTime flushed_{};
  std::uint64_t sequence_ = 0;
  std::atomic<std::uint64_t> written_{0};
};

}  // namespace liveops::ingest
