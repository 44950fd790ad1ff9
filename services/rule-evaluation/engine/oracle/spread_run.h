#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "services/rule-evaluation/engine/oracle/history.h"

// Rules whose series lie on several shards against the same on one: a service that is spread (ADR
// 9), or several services that a plan reads (ADR 11).
namespace liveops::engine::oracle {

struct SpreadConditions {
  int spread = 3;
  // Not empty: instead of being spread, some metrics are of these services, which the rules name.
  std::vector<std::string> others;
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

// Whether openings lie close enough together to flap goes by when they are told.
History WithoutFlapping(History history);

// Those of `names` whose series lie neither with the service's own nor with each other's.
std::vector<std::string> Apart(const std::vector<std::string>& names);

// Plays it to one that sees everything and does not judge eagerly, and split to several shards, the
// readings of which reach the home in random order, some of them twice. The transitions must be the
// same. Who sees everything is a shard, where a service is spread; of several services it is the
// naive evaluator, who takes all series for those of one.
SpreadComparison CompareSpread(const History& history, const SpreadConditions& conditions);

}  // namespace liveops::engine::oracle
