#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

// What the home keeps of a rule whose series lie on several shards (ADR 9, ADR 11).
namespace liveops::engine {

// How a rule lives in a shard.
enum class Role : std::uint8_t {
  kWhole = 0,   // all of its series are here: it feeds windows and judges them
  kSource = 1,  // a part of them is here: it feeds windows and tells the readings of each step
  kHome = 2,    // no series feed it: it judges what the sources tell, the home's own among them
};

// So long a source may be silent before the steps that wait for it are judged without it.
inline constexpr std::int64_t kGiveUpMs = 600'000;

struct Home {
  // What one source said of one step.
  struct Told {
    std::uint32_t parts = 0;  // there are; 0 = nothing came yet
    std::map<std::uint32_t, std::string> bytes;
    std::int64_t whole_ms = 0;  // clock when the last part came
    bool whole() const { return parts > 0 && bytes.size() == parts; }
  };
  // Of one group, beside its life.
  struct OfGroup {
    std::int64_t silence_ms = 0;  // so long its series may be silent (Group::silence_ms)
    // By source and store: gauges that left while others were there, and when. What they said
    // until then counts for nothing.
    std::map<std::pair<std::int32_t, std::uint8_t>, std::int64_t> left;
    bool heard = false;  // a source still has it, at the last step
  };

  std::map<std::int64_t, std::map<std::int32_t, Told>> waiting;  // by step and source partition
  std::map<std::string, OfGroup, std::less<>> groups;            // by encoded labels
  // By store, key and source: the same of cells that groups share.
  std::map<std::tuple<std::uint8_t, std::string, std::int32_t>, std::int64_t> left_shared;
  // Groups that left as a whole, and when. Nothing that was before is known of them.
  std::map<std::string, std::int64_t, std::less<>> departed;

  // Derived: the source partition that was missed for so long that people are told; -1 = none.
  std::int32_t missed = -1;
};

// --- home.cpp: steps of Shard::Apply, as those in state.h ---
struct State;
struct Rule;
struct Group;
struct Transition;
struct ReadingsView;
// Takes in what a source says; what it knows already, or judged, is dropped.
void TakeReadings(State& s, const ReadingsView& readings);
// Judges the steps of which all is known.
void JudgeHomes(State& s, std::vector<Transition>& out);
// The group whose step is judged leaves.
void Depart(State& s, Rule& rule, const Group& group, std::int64_t end_ms);
// Forgets what has no more use.
void HousekeepHome(State& s, Rule& rule);
// "" unless a source is missed.
std::string MissedText(const State& s, const Rule& rule);

}  // namespace liveops::engine
