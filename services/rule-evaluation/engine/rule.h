#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/labels.h"
#include "common/base/time.h"
#include "common/plan/model.h"
#include "common/sketch/hyperloglog.h"
#include "common/sketch/pane_grid.h"
#include "common/sketch/panes.h"
#include "common/sketch/sketch.h"
#include "services/rule-evaluation/engine/home.h"
#include "services/rule-evaluation/engine/life.h"
#include "services/rule-evaluation/engine/series.h"
#include "services/rule-evaluation/engine/transition.h"

namespace liveops::engine {

inline constexpr std::int64_t kLongAgo = INT64_MIN / 4;

// Another service that rules read, and where its series lie.
struct ReadFrom {
  std::string service;
  int spread = 1;
  RealTime from{};                  // as told
  std::int64_t from_ms = kLongAgo;  // the same, domain
  friend bool operator==(const ReadFrom&, const ReadFrom&) = default;
};

// How the points of a series of some kind are kept for an aggregate.
enum class Cell : std::uint8_t {
  kNone,          // they do not fit together (a rate of a gauge)
  kCounter,       // per series: increases, and the time that they cover
  kGauge,         // per series: readings
  kDistribution,  // per group: observations
  kBucket,    // per series: increases of one cumulative bucket of a classic Prometheus histogram
  kDistinct,  // per group: which values of a label spoke
};
// Is its silence, once proven, the end of a series?
inline bool Departs(Cell cell) { return cell == Cell::kGauge || cell == Cell::kDistinct; }
Cell CellFor(plan::Aggregate aggregate, SeriesKind kind);

// One series among the cells of a test, for one of its operands.
struct Member {
  std::uint32_t series = 0;
  std::uint8_t operand = 0;
  Cell cell = Cell::kNone;
  bool forgotten = false;  // nobody waits for it any more (forget.cpp); it says nothing
  double factor = 1;       // from the series' unit to the measure's
  double bound = 0;        // of a bucket, in the measure's unit; infinity for the last
  std::uint64_t hash = 0;  // kDistinct: of its label's value

  struct Last {
    std::int64_t ms = INT64_MIN;
    double value = 0;     // its increase or reading
    double cover_ms = 0;  // a counter's: the time that it covers; of a gauge see HasLeft
  };
  // Of the newest point of one that spoke before it was forgotten, and not since.
  static constexpr std::int64_t kSpokeOnceMs = -(std::int64_t{1} << 50);
  // Accepted point; its ms is INT64_MIN while there is none.
  Last newest;
  // Those before it that came after what was judged, and the newest of what was judged, by time;
  // kept only where a window may be without a point while the series speaks (see Note).
  std::unique_ptr<std::vector<Last>> older;
  // `sparse`: so seldom does the series speak that a point may have to stand for a window in which
  // there is none.
  void Note(const Last& point, bool sparse, std::int64_t judged_ms);
  // The newest of them at or before a time.
  const Last* UpTo(std::int64_t ms) const;
  // Of one that Departs: its silence was proven. Whatever is in doubt later, it has left until it
  // speaks.
  bool HasLeft() const { return newest.cover_ms < 0; }
  void Leave() { newest.cover_ms = -1; }
  // Of what it said nothing is kept, but that it spoke.
  void Forget();
};

struct Group;

// Who reports, of a test that counts the values of a label: by value its series, ascending. They
// are no members: their points need not be taken anywhere, since each series knows when it spoke.
using Roll = std::map<std::string, std::vector<std::uint32_t>, std::less<>>;

// For a quorum: how the slots came out, oldest first; one that was not judged is missing.
using Slots = std::vector<std::pair<std::int64_t, Verdict>>;

// What the series with equal `by` labels said, for one store of a rule.
struct Cells {
  std::uint8_t test = 0;   // of the store: that of its test, or behind all tests' an earlier one
  std::string key;         // encoded labels
  Group* group = nullptr;  // whose own they are; null where several groups share them
  std::vector<Member> members;
  bool departing = false;  // derived: there is or was one among them that Departs
  // What counters, buckets and gauges said, by member. A cell's numbers by kind and aggregate:
  //   counter, bucket:     a = increase, b = ms of it that the series' points cover, c = increase
  //                        that covers no known time
  //   gauge, last, sum:    a = newest reading, b = its time
  //   gauge, avg:          a = sum, b = readings
  //   gauge, min, max:     a = reading
  //   gauge, count:        c = readings
  //   gauge, stddev:       a = mean, b = readings, c = sum of squared distances from the mean
  //                        (B. P. Welford, "Note on a method for calculating corrected sums of
  //                        squares and products", Technometrics 4(3), 1962)
  sketch::PaneGrid grid;
  std::vector<sketch::Panes<sketch::Sketch>> distributions;  // by operand
  std::vector<sketch::Panes<sketch::HyperLogLog>> distinct;  // by operand, where one counts so
  std::vector<double> bounds;  // of the newest explicit histogram, for the bounds of a quantile
  Roll roll;                   // of a test that counts who reports

  // What the record at hand brought; void unless touched == its offset.
  std::int64_t touched = -1;
  std::int64_t touched_from_ms = 0;
  std::int64_t touched_to_ms = 0;
  std::uint8_t touched_operands = 0;
};

// How one test of a condition last came out.
struct TestResult {
  Verdict verdict = Verdict::kUnknown;
  Why why = Why::kNever;
  double value = std::numeric_limits<double>::quiet_NaN();
  double points = 0;
  Compared compared;
};

// A judged unit of a rule: the series with equal `by` labels of its first test.
struct Group {
  std::uint64_t number = 0;  // by age, in the whole shard
  std::string key;           // encoded labels
  Labels labels;
  // By store: the group's own, or null where the test looks at fewer labels and groups share its
  // cells (Rule::shared).
  std::vector<std::unique_ptr<Cells>> own;
  Life life;
  std::vector<Life> levels;  // by level of the rule: how far each is
  std::uint8_t level = 0;    // that the last episode was told at; 0 = the alarm's own severity
  Judgement last;            // as it was last judged with a result, for people
  std::vector<TestResult> results;  // by test, where there are several
  Slots slots;
  std::vector<Slots> level_slots;  // by level

  bool active = false;  // is judged at each step's end

  // Is it among the groups with the greatest values? Found anew at each step of a rule that asks.
  Verdict standing = Verdict::kUnknown;

  std::int64_t taken_over_ms = 0;  // clock when its life was taken over from the log
  std::int64_t silence_ms = 0;  // taken over from other windows: so long its series may be silent

  // For TakeChanged; no part of the state.
  bool changed = true;
  Instant told{};
  std::int64_t touched = -1;  // offset of the record that put it on the list of those to judge

  template <typename F>
  void ForEachMember(F f) const {
    for (const auto& cells : own) {
      if (!cells) continue;
      for (const Member& member : cells->members) f(*cells, member);
    }
  }
  bool HasMembers() const {
    return std::any_of(own.begin(), own.end(),
                       [](const auto& c) { return c && !c->members.empty(); });
  }
};

// What a rule has no room for, and the alarm that says so: one of the rule's own, without labels.
struct Overflow {
  static constexpr std::size_t kKnownMax = 100'000;  // beyond it the number is at least so many

  std::map<std::uint64_t, std::int64_t> refused;  // hash -> clock when last named
  Group alarm;
  std::uint64_t told = 0;  // the number in the last transition
  std::int64_t told_ms = 0;
};

struct Probe {
  std::string id;
  std::string expression;  // as asked
  Instant started{};
  Duration within{0};
};

// What a rule has so many of and no more.
enum class Room : std::uint8_t {
  kGroups,   // its own
  kSeries,   // of kSeriesLimitName, which judges nothing and says what is not watched
  kForeign,  // likewise kForeignLimitName: foreign alerts of the service
};

struct RuleSpec {
  std::string name;  // of the alarm: "latency-critical", "scenario:api-error-surge", "probe:<id>"
  Purpose purpose = Purpose::kPage;
  plan::Condition when;
  std::optional<plan::Clear> clear;
  Duration keep_firing{0};
  plan::Severity severity = plan::Severity::kMedium;
  std::vector<plan::Level> levels;
  std::optional<plan::Flapping> flapping;
  std::string owner;
  plan::NoData no_data = plan::NoData::kKeep;
  double min_count = 20;
  std::string summary;
  std::string runbook;
  std::string expression;  // canonical
  Room room = Room::kGroups;
  std::optional<plan::Evidence> evidence;
  std::string slo;         // of the objective that made the alarm
  bool budget = false;     // it says how much of that one's error budget is left
  bool of_slices = false;  // what it reads is what the rule counts that judges its slices
  Duration slice{0};       // > 0: it judges slices of this length, and counts them (slices.cpp)
  // Where the plan says so, the greatest of all metrics that are read.
  std::optional<Duration> lateness;
  bool lateness_said_for_all = false;

  bool judges() const { return room == Room::kGroups; }
  bool judges_slices() const { return slice > Duration(0); }
  // At no level, 0, it is as bad as the alarm itself.
  plan::Severity SeverityAt(std::size_t level) const {
    return level == 0 ? severity : levels[level - 1].severity;
  }
};

// How far a rule has told what a replay would not bring back (rollup.h). Told next: of the group,
// or the cells that groups share, of this key or the next one, the members of this store from this
// one on.
struct Rolls {
  std::int64_t next_ms = 0;  // partition clock at which the next round begins
  std::int64_t began = -1;   // offset of the record after which the present one began; -1 = none
  std::uint32_t part = 0;
  bool near = false;     // derived: a replay fills the windows; only what speaks seldom is told
  bool awaited = false;  // derived: a round will be taken in, and until then no alarm moves
  bool shared = false;
  std::string key;
  std::size_t store = 0;
  std::size_t member = 0;
};

// What an earlier owner of the shard knew when its rollups were taken in, of the time before the
// present one began with the log. Each holds until the present one's own changes from the mark.
struct Vouched {
  std::int64_t hard_mark = 0, hard_ms = 0;  // State::hard_from_ms
  std::int64_t soft_mark = 0, soft_ms = 0;
  std::int64_t doubt_mark = 0, doubt_ms = 0;  // real; domain: the last moment that proves nothing
};

struct ByNumber {
  bool operator()(const Group* a, const Group* b) const { return a->number < b->number; }
};

// A store of panes: of one test's window, or of the earlier time that it is compared with.
struct Window {
  std::size_t test = 0;  // of the condition
  std::int64_t pane_ms = 1000;
  std::int64_t panes = 60;  // that are kept
  std::int64_t read = 60;   // of them, those that a value is computed from
  std::int64_t ago_ms = 0;  // how long before what is judged the value's window ends
  std::size_t earlier = 0;  // of a test that is compared: the store of its earlier time; 0 = none
  // Derived: what KeepFrom last found, and when.
  std::int64_t judged = INT64_MIN;
  std::int64_t keep_from = 0;

  // The end of the last pane of the window that was judged last.
  std::int64_t judged_ms() const { return (keep_from - 1 + panes) * pane_ms; }
};

// One condition in force, with its windows and the life of each of its groups.
struct Rule {
  RuleSpec spec;
  std::optional<Probe> probe;
  std::uint64_t number = 0;  // by age, in the whole shard
  std::uint32_t service = 0;
  std::vector<Window> windows;  // the stores: one a test, then those of earlier times
  std::int64_t step_ms = 1000;  // is judged at each multiple: the shortest pane, or a quorum's slot
  std::int64_t lateness_ms = 0;  // domain; never shrinks
  std::int64_t judged = 0;       // the last step at whose end was judged
  std::int64_t born_ms = 0;      // the windows hold what came after
  std::optional<Overflow> overflow;
  bool seen = false;       // a point since the activation
  bool negatives = false;  // sums may fall: more data can undo
  std::map<std::string, std::unique_ptr<Group>, std::less<>> groups;
  // By store: cells that several groups look at, by encoded labels; empty for the first test.
  std::vector<std::map<std::string, std::unique_ptr<Cells>, std::less<>>> shared;

  // Where its series lie on several shards.
  Role role = Role::kWhole;
  std::int64_t told = 0;       // a source: the last step that it told
  std::int64_t unseen_ms = 0;  // a source: of the time since then, what nobody observed
  std::unique_ptr<Home> home;  // a home has one

  std::unique_ptr<Rolls> rolls;  // null: it tells nothing
  std::optional<Vouched> vouched;

  // Derived, not part of the state.
  std::vector<Group*> active;                                                   // by number
  std::unordered_map<std::uint64_t, std::pair<Cells*, std::uint32_t>> members;  // never iterated
  std::size_t rolled = 0;   // series on its rolls
  bool calls_roll = false;  // one that its group has alone: then that is always active
  std::int64_t due_ms = 0;  // partition clock at which the next step is judged
  std::int64_t fed_after_ms = INT64_MIN;  // points up to here are not its own
  std::uint64_t reads = 0;                // where the role is not kWhole: WindowsOf
  std::vector<std::int32_t> sources;      // SourcesOf
  std::vector<std::uint32_t> others;      // numbers of the other services that it reads
  bool changed = true;                    // its placeholder view did
  bool placeholder_told = false;

  std::size_t tests() const { return 1 + spec.when.more.size(); }
  std::size_t stores() const { return windows.size(); }
  // Of a store.
  const plan::Test& test(std::size_t i) const {
    const std::size_t test = windows[i].test;
    return test == 0 ? spec.when : spec.when.more[test - 1];
  }
  // So far back a store reads.
  std::int64_t reach_ms(std::size_t i) const { return window_ms(i) + windows[i].ago_ms; }
  std::int64_t window_ms(std::size_t i) const { return test(i).window.count(); }
  std::int64_t longest_window_ms() const;
  std::int64_t judged_ms() const { return judged * step_ms; }
  // The pane of a test's window that has ended when the rule is judged at `end_ms`.
  std::int64_t PaneAt(std::size_t i, std::int64_t end_ms) const {
    // A budget's window ends with the pane that runs: it has few and long ones.
    return spec.budget ? sketch::PaneIndex(end_ms, windows[i].pane_ms)
                       : sketch::LastEnded(end_ms, windows[i].pane_ms);
  }
  std::int64_t FirstKept(std::size_t i) const {
    return PaneAt(i, judged_ms()) + 1 - windows[i].panes;
  }
  // The panes before are in no window that is still to be judged.
  // Asked for with every point, and another only after a judgement.
  std::int64_t KeepFrom(std::size_t i) {
    Window& window = windows[i];
    if (window.judged != judged) {
      window.judged = judged;
      window.keep_from = FirstKept(i);
    }
    return window.keep_from;
  }
  bool Watches(std::uint32_t of) const {
    return of == service || std::find(others.begin(), others.end(), of) != others.end();
  }
  bool fed() const { return !members.empty() || rolled > 0; }
  // Do all groups have cells of their own for the test?
  bool Own(std::size_t i) const { return i == 0 || test(i).by == spec.when.by; }
  // The cells of a test that a group looks at; null when no series ever fed them.
  const Cells* CellsOf(const Group& group, std::size_t i) const;
  LifeRules life_rules(std::size_t shown) const {
    return {test(shown).op, spec.when.quorum.needed > 0 ? Duration(0) : spec.when.hold,
            spec.clear ? &*spec.clear : nullptr, spec.keep_firing,
            spec.flapping ? &*spec.flapping : nullptr};
  }
  static std::uint64_t MemberKey(std::uint32_t series, std::size_t test, std::uint8_t operand) {
    static_assert(plan::Condition::kTestsMax <= 8 && plan::Measure::kOperandsMax <= 8);
    return (std::uint64_t{series} << 6) | (std::uint64_t{test} << 3) | operand;
  }
};

inline bool CountsReporters(const plan::Test& test) {
  return test.measure.form == plan::Measure::Form::kReporters;
}

// Has it alarms that are shown to people?
inline bool IsShown(const Rule& rule) {
  return !rule.probe && rule.role != Role::kSource && !rule.spec.judges_slices();
}

// The operand without whose data a test has no value.
inline bool IsPrimary(const plan::Measure& measure, std::uint8_t operand) {
  return !measure.IsRatio() || operand == 1;
}

// The rules that a plan makes: those that judge slices (before all that reads what they count), its
// alarms, then the conditions of its remediations, in its order;
// then, if it pages anybody, those that tell that there is no room for series or foreign alerts.
std::vector<RuleSpec> SpecsOf(const plan::Plan& plan);
std::unique_ptr<Rule> MakeRule(RuleSpec spec, std::uint64_t number, std::uint32_t service);

// Equal windows: what one kept serves the other.
bool SameWindows(const plan::Condition& a, const plan::Condition& b);

// Do the labels fit what the operand selects?
bool Matches(const plan::Operand& operand, const Labels& labels);
// The labels named by `by`; one that is missing is empty.
Labels GroupLabels(const std::vector<std::string>& by, const Labels& labels);

}  // namespace liveops::engine
