#pragma once

#include <cstdint>

#include "services/rule-evaluation/engine/state.h"

// What rollup*.cpp have in common, and their part in Shard::Apply. Not for other rooms.
namespace liveops::engine {

inline constexpr std::uint64_t kRollupFormat = 1;
// A part is a row of pieces, each with one of these in front.
enum class RollupPiece : std::uint8_t {
  kEnd,    // and what the rule knows follows, in a round's last part
  kGroup,  // how far its alarm is on its way
  kCells,  // of the group before, and some of their members
  kSharedCells,
};

// Makes a rule that is added tell its windows, if they reach back far enough.
void PrepareRolls(State& s, Rule& rule);
// A round begins with the next record.
void TellAnew(State& s, Rule& rule);
// Members leave: a round that is among them begins anew.
void RestartRolls(State& s, Rule& rule, const Cells& cells);
// At most one part of one rule, at the record's end.
void RollUp(State& s);
// Finds out what is still to be taken in: of one rule, of all.
void MarkAwaited(State& s, Rule& rule);
void MarkAwaited(State& s);
// Takes in what stood before the record at this offset.
void TakeRollups(State& s, std::int64_t before_offset);

// What a rule reads and says, and as what, so that what it keeps can be told apart from what
// another version of the plan keeps under the same name.
std::uint64_t RollupDigest(const State& s, const Rule& rule);

}  // namespace liveops::engine
