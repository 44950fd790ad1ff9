#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "services/rule-evaluation/engine/tally.h"

// What a shard that holds a part of a rule's series says of it at a step (ADR 9, ADR 11): of each
// group what the second stage of a value takes (tally.h), and what only the series can tell
// about silence. A home's own part goes the same way.
namespace liveops::engine {

// Where a shard stands among those of a service.
struct Share {
  int of = 1;             // shards that hold the service's series
  int index = 0;          // of this one; 0 = the home; `of` and above: none of them
  std::int32_t home = 0;  // its partition
};

// --- sources.cpp: where the series of a rule lie ---
Share ShareOf(const State& s, const Service& service);
// The partitions of all services that it reads; first its home, also where none lie there.
std::vector<std::int32_t> SourcesOf(const State& s, const Service& service, const RuleSpec& spec);
// In which roles a shard keeps a rule.
std::vector<Role> RolesOf(const State& s, const Service& service, const RuleSpec& spec);
// Event time since which they lie so.
std::int64_t SpreadFrom(const Service& service, const RuleSpec& spec);
// What two rules of one name must have in common to tell each other something.
std::uint64_t WindowsOf(const Service& service, const Rule& rule);
std::vector<ReadFrom> ReadsOf(const State& s, const PlanActivationView& view);
// The services whose series lie elsewhere now.
std::set<std::string> Moved(const std::vector<ReadFrom>& before, const std::vector<ReadFrom>& now);
bool ReadsAnyOf(const RuleSpec& spec, const std::set<std::string>& services);
// Series of the other services that it reads feed the rule from here on, or no longer.
void LinkReads(State& s, Rule& rule);
void UnlinkReads(State& s, Rule& rule);
// The clock when ingest last refused points of a service that it reads.
std::int64_t RefusedAt(const State& s, const Rule& rule);
// Whose series of the rule lie there.
std::vector<std::string> ServicesAt(const State& s, const Rule& rule, std::int32_t partition);

// One series, for evidence.
struct Piece {
  std::string labels;  // encoded
  double value = 0;    // its increase or reading
};

inline constexpr std::int64_t kNeverSpoke = -(std::int64_t{1} << 53);

// Of the cells of one store of a rule, for one group or for several that share them.
struct StoreReading {
  bool members = false;
  bool left = false;    // gauges, whose absence is proven
  bool misses = false;  // MissesSomebody
  bool fresh = false;   // a member spoke since the last step that was told
  // Its newest point that is not after the step's end; kNeverSpoke: there is none.
  std::int64_t last_ms = kNeverSpoke;
  // Of those without which the group has no value: is there one, did one speak, are all proven
  // absent?
  bool primary = false;
  bool spoke = false;
  bool absent = true;
  bool departs = true;         // all are
  bool forgotten = true;       // all were silent for very long
  bool adds = false;           // the pieces are parts of a whole
  std::vector<Tally> tallies;  // by operand; none: they hold nothing
  std::vector<Increase> sure;  // by operand: of counters, what is sure to stay
  std::vector<double> bounds;
  double total = 0;          // of all pieces
  bool negative = false;     // one of all is
  std::uint64_t pieces = 0;  // in all
  std::vector<Piece> top;    // the largest
};

struct GroupReading {
  std::string key;     // encoded labels
  bool fresh = false;  // a point came since the last step that was told
  std::int64_t silence_ms = 0;
  std::vector<std::optional<StoreReading>> stores;  // nothing where groups share cells
};

struct SharedReading {
  std::uint8_t store = 0;
  std::string key;
  StoreReading reading;
};

// What holds for the whole rule; stands in each part.
struct RuleReading {
  std::int64_t after = 0;          // the step before: of those between nothing will be said
  std::int64_t known_from_ms = 0;  // the windows are whole from here on
  std::int64_t hard_from_ms = 0;   // estimates from a part are not believed before
  std::int64_t unseen_ms = 0;      // of the time since `after`, what nobody observed
  bool seen = false;
  bool negatives = false;
  std::vector<bool> known_then;        // by store of an earlier time, in their order
  std::vector<std::uint64_t> refused;  // groups for which there was no room, by hash; some
  std::vector<std::uint64_t> refused_series;
};

// All that was said, and the parts that it is cut into.
struct StepReading {
  RuleReading rule;
  std::vector<SharedReading> shared;
  std::vector<GroupReading> groups;
};

StepReading ReadStep(State& s, Rule& rule, std::int64_t step);
std::vector<std::string> EncodeReading(const StepReading& reading);
// Adds what a part says; false = it is none of this rule's.
bool DecodeReading(const Rule& rule, std::string_view part, StepReading& out);

// --- what a source does: readings.cpp ---
// Tells the step that was just judged. True when the rule, a probe, is over.
bool TellStep(State& s, Rule& rule, std::int64_t step);

}  // namespace liveops::engine
