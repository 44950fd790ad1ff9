#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

// What a rule's windows hold, for the next owner of the shard if no snapshot is left: a replay of
// two hours does not bring back a window of thirty days (ADR 10). Once an hour of domain time each
// rule whose windows reach back more than an hour tells all of them, series by series, in a round
// of parts; any other one the series that speak seldom, or spoke last before a replay begins: that
// they are missing, how long they may be silent, and what they said last. Each part is exact as of
// a record of the log, so that a replay which passes that record can take it in there, and then
// holds what it would hold had it begun at the beginning.
namespace liveops::engine {

inline constexpr std::int64_t kRoundMs = 3'600'000;        // domain time from round to round
inline constexpr std::int64_t kRollsBeyondMs = 3'600'000;  // windows that reach back further
// Of windows that a replay fills only those series are told whose last four points took longer, so
// that a replay which began so long before knows all others.
inline constexpr std::int64_t kSeldomMs = 1'800'000;

// One part.
struct Rollup {
  std::string service;
  std::string rule;           // its name
  std::uint64_t digest = 0;   // of what the rule reads and says, and as what
  std::int64_t round = 0;     // offset of the record after which the round began
  std::uint32_t part = 0;     // 0, 1, … in the round
  bool last = false;          // the round is whole with it
  std::int64_t position = 0;  // offset of the record after which the rule's windows stood so
  std::string content;        // sealed by a check sum
};

// Finds of each rule the rounds of which every part is there: the first that can be taken in is.
// Parts may come in any order and several times. Not thread-safe; pure.
class RollupShelf {
 public:
  // `epoch`: of the owner that told it. Of two owners' parts no round is made.
  void Put(std::int64_t epoch, Rollup rollup);
  // Those found, by position.
  std::deque<Rollup> Take();

 private:
  struct Of {
    std::string service;
    std::string rule;
    std::uint64_t digest = 0;
    auto operator<=>(const Of&) const = default;
  };
  struct Round {
    std::int64_t epoch = -1;
    std::map<std::uint32_t, Rollup> parts;
    bool Whole() const;
  };
  std::map<Of, std::map<std::int64_t, Round>> rounds_;  // by the record after which they began
};

}  // namespace liveops::engine
