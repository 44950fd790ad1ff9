#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "services/rule-evaluation/engine/oracle/history.h"

// One service on several shards (ADR 9) against the same on one.
namespace liveops::engine::oracle {

struct SpreadConditions {
  int spread = 3;
  // Readings are written at once; else up to 3 s later, each source's for itself. Then what is told
  // is told later.
  bool at_once = true;
  bool crashes = false;  // shards are restored from snapshots that are older than what they told
  std::uint64_t seed = 1;
};

struct SpreadComparison {
  std::string difference;  // "" = none
  std::map<std::string, std::size_t> saw;
  bool ok() const { return difference.empty(); }
};

// The history without what a spread service does not do, and what it is allowed to do otherwise: no
// test needs to see all series at once; nothing is decommissioned; all points by one protocol
// (each shard waits for the latest of its own series), as many groups as there are, and after a gap
// in the log nobody's silence is proven for as long as it may take the series to return (each shard
// waits for its own).
History Tamed(History history);

// Plays it to a shard that does not judge eagerly, and split to `spread` shards, the readings of
// which reach the home in random order, some of them twice. The transitions must be the same.
SpreadComparison CompareSpread(const History& history, const SpreadConditions& conditions);

}  // namespace liveops::engine::oracle
