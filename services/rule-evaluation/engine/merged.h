#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/rule-evaluation/engine/readings.h"

// The readings of all sources of a step, put together: what stands in for the cells of a group when
// the home judges it.
namespace liveops::engine {

struct MergedStore {
  bool members = false;
  bool misses = false;
  bool primary = false;
  bool spoke = false;
  bool absent = true;
  bool departs = true;
  bool forgotten = true;
  std::vector<Tally> tallies;  // by operand; none: nobody has anything
  std::vector<Increase> sure;
  std::vector<double> bounds;
  bool adds = false;
  bool negative = false;
  double total = 0;
  std::uint64_t pieces = 0;
  std::vector<Piece> top;

  enum class Presence {
    kThere,
    kReturning,  // it spoke again, after the step
    kLeft,
  };
  void Add(const plan::Test& test, const StoreReading& reading, Presence presence);
};

// Of one group.
struct Merged {
  std::vector<MergedStore> own;  // by store; unused where groups share cells
  // By source and store: who has series of it.
  std::vector<std::pair<std::int32_t, std::uint8_t>> sources;
};

// Of all groups of a rule.
struct MergedStep {
  std::int64_t known_from_ms = INT64_MIN / 4;
  std::int64_t hard_from_ms = INT64_MIN / 4;
  bool untold = false;           // a source said nothing: what it has is not known
  std::vector<bool> known_then;  // by store of an earlier time
  std::map<std::string, Merged, std::less<>> groups;                    // by key
  std::vector<std::map<std::string, MergedStore, std::less<>>> shared;  // by store
  std::vector<Cells> cells;      // by store: without a series, they only say which store it is
  const Group* group = nullptr;  // that is judged
  const Merged* merged = nullptr;

  void Judging(const Group& next);
  const Merged& Of(const Group& group) const;
  // What a group's test reads; null when no series ever fed it.
  const MergedStore* StoreOf(const Rule& rule, std::size_t store) const;
  const Cells* CellsOf(const Rule& rule, std::size_t store) const;
  Reading Measure(const Rule& rule, std::size_t store, bool at_least) const;
  bool MissesSomebody(const Rule& rule, std::size_t store) const;
  bool HasMembers(const Rule& rule, std::size_t store) const;
  bool KnownThen(const Rule& rule, std::size_t store) const {
    return known_then[store - rule.tests()];
  }
};

}  // namespace liveops::engine
