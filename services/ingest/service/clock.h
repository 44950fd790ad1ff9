#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"

namespace liveops::ingest {

struct ClockReading {
  RealTime now{};
  // The brokers' time has stepped and it is not decided yet whether that was true, and the events
  // at hand say that it was: nothing of them may be refused for good for its time.
  bool doubted = false;
};

// Ingest's idea of the real time: the brokers' append times, as told by the delivery reports of its
// ticks, plus steady time since. This host's wall clock plays no part. Each partition votes and the
// (lower) median counts: a single broker whose clock is wrong moves nothing while it leads fewer
// than half of the partitions.
//
// A step of that median beyond kTolerance is held: the clock goes on by steady time. It is over
// when the median returns, and adopted when it has stood for kStands and more of the emitters heard
// lately have event times that fit it than have such that fit the clock as it was: so the clock of
// one host, be it a broker's or an emitter's, moves nothing, and a host that slept is believed.
//
// Pure, but for its mutex. Thread-safe.
class IngestClock {
 public:
  static constexpr Duration kTolerance{2000};
  static constexpr Duration kStands{5000};
  static constexpr Duration kHeardFor{120'000};  // an emitter's events speak for so long
  static constexpr Duration kSettles{5000};  // in which the partitions report for the first time
  static constexpr std::size_t kEmittersMax = 1000;

  explicit IngestClock(std::int32_t partitions);

  void Report(std::int32_t partition, RealTime append_time, SteadyTime seen);
  // Nothing before the first report.
  std::optional<RealTime> Now(SteadyTime now) const;
  // To judge a batch by: `events` is the median of its event times, and is heard as its emitter's.
  std::optional<ClockReading> NowFor(std::string_view emitter, std::optional<RealTime> events,
                                     SteadyTime now);
  std::uint64_t steps_held() const;

 private:
  struct Step {
    std::int64_t offset_ms = 0;
    SteadyTime held{};   // since when there is a step
    SteadyTime since{};  // since when it is this one
    SteadyTime seen{};   // last reported
  };
  struct Heard {
    std::int64_t offset_ms = 0;  // event time - steady time
    SteadyTime at{};
  };

  std::int64_t Median();
  void Hear(std::string_view emitter, std::int64_t offset_ms, SteadyTime now);
  // Whether events would be honest by `clock_ms`, and more so than by `other_ms`.
  static bool Fits(std::int64_t offset_ms, std::int64_t clock_ms, std::int64_t other_ms);
  void AdoptIfBorneOut(SteadyTime now);

  mutable std::mutex mutex_;
  std::vector<std::optional<std::int64_t>> offsets_ms_;  // append time - steady time, by partition
  std::vector<std::int64_t> scratch_;
  std::optional<std::int64_t> offset_ms_;  // the clock's
  std::optional<Step> step_;
  std::map<std::string, Heard, std::less<>> heard_;  // by emitter
  SteadyTime first_report_{};
  bool settled_ = false;
  std::uint64_t steps_held_ = 0;
};

std::int64_t SteadyMs(SteadyTime t);

}  // namespace liveops::ingest
