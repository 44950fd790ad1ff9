#pragma once

#include <span>
#include <vector>

#include "common/base/time.h"

// Over how many partitions a service's series lie, and since when. Which partition a point belongs
// to follows from its series and its event time alone, so that a retry finds the partition of the
// first try, whoever takes it and whenever. Pure.
namespace liveops {

// Real time from the append of a plan that changes the spread to the event times from which on it
// counts: until then everybody who hands points out has read it.
inline constexpr Duration kSpreadLead{120'000};
// Steady time: who has not read the plans to their end for so long hands out no point.
inline constexpr Duration kPlansReadWithin{30'000};

// More partitions than any installation has.
inline constexpr int kSpreadMax = 1024;

struct SpreadStep {
  RealTime from{};  // event time; of this point in time, too
  int spread = 1;
  friend bool operator==(const SpreadStep&, const SpreadStep&) = default;
};

// `said`: what the versions of a service's plan say, in their order. The result are those that
// changed something, in the order of time; before the first one the spread is 1.
std::vector<SpreadStep> SpreadSteps(std::span<const SpreadStep> said);

}  // namespace liveops
