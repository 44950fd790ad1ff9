#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "common/base/time.h"
#include "services/rule-evaluation/engine/transition.h"
#include "services/rule-evaluation/service/owner_state.h"

namespace liveops::evaluation {

// Holds a replay to what the log already says: a transition that stands in the log is not written
// twice, and one that the log contradicts is not written at all. The log is a prefix of what the
// earlier owner decided, in the order of its source records: whatever a replay decides before the
// last logged source record must stand there too. Pure; not thread-safe.
class ReplayFilter {
 public:
  enum class Verdict {
    kWrite,         // the log does not know it yet
    kKnown,         // it stands in the log
    kContradicted,  // the log says otherwise at this point: the log wins
  };

  ReplayFilter() = default;
  // `logged`: valid transitions of alarms.v1 whose source record will be replayed, in log order.
  explicit ReplayFilter(const std::vector<engine::Transition>& logged);

  // One more, found in the log later (another owner had the partition for a while).
  void Add(const engine::Transition& logged);

  bool active() const { return !logged_.empty(); }
  // Source offset after which the log has nothing more to say; -1 when not active.
  std::int64_t last_offset() const { return last_offset_; }

  Verdict Judge(const engine::Transition& emitted);

  // Call before the record at `offset + 1` and after the one at `offset` was applied. Gives what
  // the engine must adopt: each word of the log that the replay did not say, once the record is
  // behind at which the log said it. Once the last logged source record is behind (the filter is
  // then not active any more), also the log's last word on every alarm that the replay left
  // elsewhere, and a made-up close for those of which the log knows nothing. `last`: the log's last
  // word on each alarm, also on those of which it said nothing about the replayed records.
  std::vector<engine::Transition> Settle(std::int64_t offset, const LastWords& last);

  std::uint64_t contradictions() const { return contradictions_; }

 private:
  using Key = std::tuple<std::string, Instant, std::uint32_t>;  // alarm, episode, step
  static Key KeyOf(const engine::Transition& t) { return {t.alarm_id, t.episode, t.step}; }

  // What of the words that are behind now the replay did not say.
  void Pass(std::int64_t offset, std::vector<engine::Transition>& truths);

  std::map<Key, engine::AlarmState> logged_;
  std::multimap<std::int64_t, engine::Transition> ahead_;   // by source record
  std::set<Key> said_;                                      // by the replay, as by the log
  std::map<std::string, engine::Transition> last_logged_;   // by alarm
  std::map<std::string, engine::Transition> last_emitted_;  // by alarm, in the replay
  std::set<std::string> written_;  // alarms whose replay went beyond the log
  std::int64_t last_offset_ = -1;
  std::uint64_t contradictions_ = 0;
};

// Is `a` a later word on the same alarm than `b`?
bool Later(const engine::Transition& a, const engine::Transition& b);

}  // namespace liveops::evaluation
