#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "services/rule-evaluation/engine/record.h"

namespace liveops::engine::oracle {

// What the records' append times and ticks say of time: the clock, its stalls, and when silence
// proves nothing. Of a log whose clock is not set; then the clock is the append time.
class Time {
 public:
  struct Stall {
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::int64_t length() const { return to - from; }
    explicit operator bool() const { return to > from; }
  };

  // Before the record's own effects. What stood still until it came; then Await must follow.
  Stall Advance(const RecordView& record);
  void OnTick(const TickView& tick);
  // After a stall: these are awaited.
  void Await(std::set<std::size_t> series);
  void OnSeries(std::size_t series);

  std::int64_t now() const { return now_; }
  // Nothing could have been missed since.
  bool Proves(std::int64_t from) const { return ticked_ && doubted_ <= from; }

 private:
  struct Instance {
    std::uint64_t session = 0;
    std::int64_t last = 0;
    bool accepting = true;
  };
  void Doubt();

  std::map<std::string, Instance> instances_;
  std::set<std::size_t> awaited_;
  std::int64_t now_ = INT64_MIN;
  std::int64_t last_tick_ = INT64_MIN;
  std::int64_t doubted_ = INT64_MIN;
  std::int64_t awaited_until_ = INT64_MIN;
  bool waits_ = false;
  bool ticked_ = false;
};

}  // namespace liveops::engine::oracle
