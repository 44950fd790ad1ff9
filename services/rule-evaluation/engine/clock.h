#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/time.h"

namespace liveops::engine {

// What a record did to the clock. `from` == `to` when it did nothing.
struct ClockStep {
  RealTime from{};
  RealTime to{};
  bool first = false;         // the clock began here
  bool counted = false;       // ticks had been seen before
  bool corroborated = false;  // a held step was adopted because event times agree with it
  bool hidden = false;  // a step is held from here on that nobody counted through: time may have
                        // passed unseen
  Duration length() const { return first ? Duration(0) : to - from; }
};

// The clock of a partition: the broker's append time, as far as it can be believed.
//
// Ticks carry the monotonic clock of the ingest instance that wrote them. Where the append time
// between two ticks of one session agrees with their steady delta (within 2 s) it is adopted. A
// step that no steady delta explains is held: the clock then goes on by the steady deltas, until
// the append time returns, or until the median of the event times that arrive meanwhile agrees with
// it. It never goes back.
//
// Works in real time; the caller maps to domain time. Pure.
class PartitionClock {
 public:
  static constexpr Duration kTolerance{2000};

  ClockStep OnTick(RealTime append, std::string_view instance, std::uint64_t session,
                   std::int64_t steady_ms);
  // Another record; `events` is the median of its event times, where it has some (asked for only
  // while holds_step()).
  ClockStep OnRecord(RealTime append, std::optional<RealTime> events);
  void Forget(std::string_view instance);  // it said goodbye or is lost for good

  bool started() const { return started_; }
  bool ticked() const { return ticked_; }
  bool holds_step() const { return held_; }
  RealTime now() const { return now_; }
  std::uint64_t steps_held() const { return steps_held_; }

  void Write(ByteWriter& out) const;
  bool Read(ByteReader& in);

 private:
  struct Anchor {
    std::uint64_t session = 0;
    std::int64_t steady_ms = 0;
    RealTime at{};             // the partition clock at its last tick
    bool during_hold = false;  // came up after the step: it cannot speak against it
  };

  void Hold(bool contradicted);
  void Release();
  bool Corroborated() const;
  void Advance(RealTime to) { now_ = to > now_ ? to : now_; }

  std::map<std::string, Anchor, std::less<>> anchors_;
  std::vector<std::int64_t>
      evidence_;  // event time - append time, ms, of the batches since the hold began
  RealTime now_{};
  RealTime last_tick_{};  // the clock at the last tick of anyone
  std::uint64_t steps_held_ = 0;
  bool started_ = false;
  bool ticked_ = false;
  bool held_ = false;
  bool contradicted_ = false;  // a session that lived before the step says that it was not so
  bool behind_ = false;        // the append time went back
};

}  // namespace liveops::engine
