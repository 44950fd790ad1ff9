// From when on all is known that the windows of a rule want.
#include <algorithm>

#include "services/rule-evaluation/engine/merged.h"
#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {

std::int64_t KnownFrom(const State& s, const Rule& rule) {
  if (s.merged != nullptr) return s.merged->known_from_ms;
  const bool same = rule.vouched && rule.vouched->soft_mark == s.soft_from_ms;
  return std::max(HardFrom(s, rule), same ? rule.vouched->soft_ms : s.soft_from_ms);
}

std::int64_t HardFrom(const State& s, const Rule& rule) {
  if (s.merged != nullptr) return s.merged->hard_from_ms;
  const bool same = rule.vouched && rule.vouched->hard_mark == s.hard_from_ms;
  return std::max(rule.born_ms, same ? rule.vouched->hard_ms : s.hard_from_ms);
}

bool KnownThen(const State& s, const Rule& rule, std::int64_t begin_ms, std::int64_t end_ms) {
  return begin_ms >= rule.born_ms && std::none_of(s.holes.begin(), s.holes.end(), [&](auto& hole) {
           return hole.from_ms < end_ms && hole.to_ms > begin_ms &&
                  (hole.service == kNoService || rule.Watches(hole.service));
         });
}

}  // namespace liveops::engine
