#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/rule-evaluation/engine/clock.h"
#include "services/rule-evaluation/engine/decommission.h"
#include "services/rule-evaluation/engine/foreign.h"
#include "services/rule-evaluation/engine/presence.h"
#include "services/rule-evaluation/engine/rollup.h"
#include "services/rule-evaluation/engine/rule.h"
#include "services/rule-evaluation/engine/sessions.h"
#include "services/rule-evaluation/engine/shard.h"

// What a shard knows, and the steps that Shard::Apply puts together; a file for each group of them.
// Not for other rooms.
namespace liveops::engine {

struct Service {
  std::string name;
  std::uint64_t version = 0;
  std::string text;                          // of the plan in force
  int spread = 1;                            // as it says
  std::int64_t spread_from_ms = kLongAgo;    // event time since which its series lie so
  std::vector<ReadFrom> reads;               // by its rules, beside its own series; by name
  std::vector<Deployment> deployments;       // the last hour's, oldest first
  std::vector<Decommission> decommissions;   // likewise
  std::vector<std::unique_ptr<Rule>> rules;  // the plan's in its order, then the probes that run
  std::vector<Probe> awaiting;               // begun, and by the plan without a part here
  ForeignAlerts foreign;

  std::string foreign_owner;      // derived: whose they are, by the plan
  Rule* series_limit = nullptr;   // derived: kSeriesLimitName among `rules`
  Rule* foreign_limit = nullptr;  // derived: kForeignLimitName
  std::vector<Rule*> readers;     // derived: rules of others that read its series, by number
  // Derived, for people: the clock when a series of it was last refused for want of room.
  std::int64_t series_refused_ms = kLongAgo;
  std::uint64_t generation = 0;  // derived: changes with `rules`; series of another are bound anew
};

// A snapshot that is being cut: the state as it stood after one record. A section that is about to
// change is encoded before it does.
struct Cut {
  std::int64_t position = -1;
  std::uint32_t blocks = 0;  // of series
  std::uint32_t services = 0;
  std::vector<std::string> sections;  // the head, the blocks, the services
  std::vector<bool> done;             // by section
  std::size_t next = 1;               // all before are done
  std::size_t left = 0;
};

// When a rule is judged next; of several at once the older goes first.
struct Due {
  std::int64_t at_ms = 0;  // partition clock
  std::uint64_t number = 0;
  Rule* rule = nullptr;
  friend bool operator<(const Due& a, const Due& b) {
    return a.at_ms != b.at_ms ? a.at_ms < b.at_ms : a.number < b.number;
  }
};

// A time of which something is missing.
inline constexpr std::uint32_t kNoService = UINT32_MAX;
struct Hole {
  std::int64_t from_ms = 0;
  std::int64_t to_ms = 0;
  std::uint32_t service = kNoService;  // whose points are missing; kNoService = anybody's
};

struct MergedStep;  // merged.h

struct State {
  State(const TimeMap& time_map, ShardLimits shard_limits) : map(time_map), limits(shard_limits) {}

  TimeMap map;
  ShardLimits limits;

  std::int64_t position = -1;
  ShardCounters counters;
  PartitionClock clock;
  Presence presence;
  Sessions sessions;
  SeriesTable series;
  std::vector<std::unique_ptr<Service>> services;
  // By service: the clock when ingest last refused points of it. Apart from the service, since one
  // tick may tell it of all of them.
  std::vector<std::int64_t> refused_ms;
  std::map<std::string, Transition, std::less<>>
      adopted;                    // by alarm id, until a plan says what they belong to
  std::uint64_t next_number = 1;  // of groups and rules

  // Windows that reach back before these are not wholly known. After `hard` (the log was entered in
  // the middle, or stood still, or its clock was set) estimates from a part are not believed; after
  // `soft` (a short stall) they are, as far as they cross a threshold.
  std::int64_t hard_from_ms = kLongAgo;
  std::int64_t soft_from_ms = kLongAgo;
  // Of the past, for windows that ended long ago; by their beginnings.
  std::vector<Hole> holes;
  // After a stall the watermark waits for what was queued meanwhile.
  std::int64_t frozen_until_ms = kLongAgo;
  std::int64_t housekept_ms = kLongAgo;
  std::int64_t foreign_judged_ms = kLongAgo;
  bool mid_log = false;  // StartAt was called, and no record has come yet

  std::unique_ptr<Cut> cut;            // no part of the state
  std::int64_t entered_ms = kLongAgo;  // likewise: the clock at which the log was entered
  std::deque<Rollup> awaited;          // likewise: those that will be taken in, by position
  std::uint64_t rules_whole = 0;       // likewise: that were taken in
  std::uint64_t members_indexed = 0;   // likewise: how often one was given another place

  // --- derived, no part of the state ---
  std::map<std::string, std::uint32_t, std::less<>> service_index;
  std::set<Due> due;                     // when which rule is judged next
  std::map<std::uint64_t, Rule*> rules;  // by number
  std::uint64_t next_generation = 1;
  std::size_t group_count = 0;
  std::set<std::uint64_t> overflowing;            // rules that have an overflow, by number
  std::vector<std::pair<Rule*, Group*>> touched;  // by the record at hand
  std::vector<std::string> gone;                  // for TakeChanged
  std::set<std::uint64_t> homes;                  // rules whose home is here, by number
  std::vector<Readings> told;                     // by the record at hand
  std::map<std::uint64_t, Rule*> rolling;         // that have Rolls, by number
  std::int64_t roll_ms = 0;                       // before this nothing is rolled up
  std::vector<Rollup> rolled;                     // by the record at hand
  MergedStep* merged = nullptr;                   // what the home judges, while it does
  std::uint64_t changes = 1;                      // 0 = nothing for TakeChanged

  Instant now() const { return clock.started() ? map.ToDomain(clock.now()) : Instant{}; }
  std::int64_t now_ms() const { return ToMs(now()); }
  // `real` milliseconds of the pipeline's life as domain milliseconds.
  std::int64_t Scaled(std::int64_t real_ms) const {
    return map.ToDomain(Duration(real_ms)).count();
  }
};

// --- bind.cpp: which series feed what ---
Service& ServiceOf(State& s, std::string_view name);
Service* FindService(State& s, std::string_view name);
const Service* FindService(const State& s, std::string_view name);
// Brings the feeds of a series up to date with the plan.
void Bind(State& s, Service& service, std::uint32_t id, const SeriesView& view);
// nullptr when there are too many groups.
Group* GroupFor(State& s, Rule& rule, const Labels& labels);
// The same for an alarm that is open already: no limit loses it.
Group& OpenGroup(State& s, Rule& rule, const Labels& labels);
void AddRule(State& s, Service& service, std::unique_ptr<Rule> rule);
void RemoveRule(State& s, Service& service, Rule& rule);
void RemoveGroup(State& s, Rule& rule, Group& group);
// The last ones take the places of those that go, by member.
void DropMembers(State& s, Rule& rule, Cells& cells, const std::vector<bool>& goes);
void DropEveryMember(State& s, Rule& rule, Group& group);  // of its own tests
// Makes what is derived from the members of some cells: the rule's index, and none of its series
// keeps old feeds.
void IndexMembers(State& s, Rule& rule, Cells& cells);
// The group's own cells for every test that has some.
void GiveCells(const Rule& rule, Group& group);
// Cells that groups share, made when they are first fed.
Cells& SharedCells(Rule& rule, std::size_t test, const Labels& labels);
void ForgetMembers(State& s, Rule& rule, Cells& cells);
void Rebind(State& s, Service& service);
// Is it judged at each step's end?
void Activate(Rule& rule, Group& group);
void Deactivate(Rule& rule, Group& group);
void Schedule(State& s, Rule& rule);
void MarkChanged(State& s, Group& group);

// --- feed.cpp: points into cells ---
void ApplyBatch(State& s, std::int64_t offset, bool has_sequence, const BatchView& batch);

// --- cells.cpp ---
// One point, made ready for the cells. Times are domain ms.
struct Point {
  std::int64_t time = 0;
  std::int64_t start = 0;  // of what it covers; meaningful when `covers`
  bool covers = false;
  double value = 0;           // reading, observed value, or increase
  double count = 0;           // events: the increase, 1, or the histogram's increase of count
  double sum = 0;             // of the values observed
  bool distribution = false;  // a histogram
  std::span<const double> bounds;
  std::span<const std::uint64_t> buckets;
};
// Takes the point to every cell that the series feeds.
void Distribute(State& s, std::int64_t offset, Series& series, const Point& p);

// --- measure.cpp: cells into values ---
struct Reading {
  bool known = false;
  bool no_events = false;  // the denominator has data, and counts nothing
  bool events = false;     // it rests on events that were counted or observed: `points` of them
  double value = 0;
  double low = 0;
  double high = 0;
  double points = 0;
  double bad = 0;  // a ratio's or a shortfall's: how many of `points` make it up
};
// What a test's cells say over the window that ends with `pane`; those of an earlier time, only
// where there was a point in it. `at_least`: only what is sure to
// stay (increase counts what came, not what it extrapolates to).
Reading Measure(const State& s, const Rule& rule, const Cells& cells, std::int64_t pane,
                bool at_least);
// More data can only make it more true.
bool TrueStays(const Rule& rule, const Cells& cells);
// The increase of one member in the window: covered and loose alike.
double IncreaseOf(const State& s, const Rule& rule, const Cells& cells, std::size_t column,
                  std::int64_t pane);
// What one gauge says in the window, in the measure's unit.
std::optional<double> GaugeOf(const State& s, const Rule& rule, const Cells& cells,
                              std::size_t column, std::int64_t pane);

// --- roll.cpp: who reports ---
// The series is one of those whose label values are counted. False when it was before.
bool Enrol(State& s, Rule& rule, Cells& cells, std::uint32_t id, const std::string& value);
void ForgetRoll(State& s, Rule& rule, Cells& cells);
// Forgets who has been silent since before, proven; not those who are missing.
void TrimRoll(State& s, Rule& rule, Cells& cells, std::int64_t before_ms);
// Between how many surely report (low) and how many may, since their silence is not proven (high,
// value). Known when somebody ever spoke.
Reading CountReporters(const State& s, const Rule& rule, const Cells& cells, std::int64_t end_ms);
// What that says against a threshold.
struct RollCall {
  Verdict verdict = Verdict::kUnknown;
  Why why = Why::kQuiet;
};
RollCall CallRoll(const State& s, const Rule& rule, const Cells& cells, std::int64_t end_ms,
                  plan::Comparison op, double threshold, const Reading& count);
// Those whose silence is proven, the last one to fall silent first.
struct Missing {
  std::string value;
  std::int64_t last_ms = 0;  // when it spoke last
};
std::vector<Missing> MissingOf(const State& s, const Rule& rule, const Cells& cells,
                               std::int64_t end_ms);

// --- absence.cpp: does silence say something? ---
// A series that spoke once is taken for one that speaks this often: its silence is no false alarm
// while it may just be seldom.
inline constexpr std::int64_t kIntervalAtFirstMs = 300'000;
// Was there, since then, a reason for which points may be missing?
bool Doubted(const State& s, const Rule& rule, std::int64_t since_ms);
// So long must a series be silent to be absent.
std::int64_t AbsentAfter(std::int64_t reach_ms, std::int64_t interval_ms, bool gauge);
// Silence of this member up to `end_ms` is proven absence.
bool Absent(const State& s, const Rule& rule, const Cells& cells, const Member& member,
            std::int64_t end_ms);
// An open alarm was taken over, and none of its series came since though it could have.
bool NoneReturned(const State& s, const Rule& rule, const Group& group, std::int64_t end_ms);
// A "false" that rests on fewer series than there should be is no "false".
bool MissesSomebody(const State& s, const Rule& rule, const Cells& cells, std::int64_t end_ms);
// Silent for so long that nobody waits for it.
bool Forgotten(const Member& member, std::int64_t end_ms);
// Does a group whose silence is proven leave?
bool Leaves(const State& s, const Rule& rule, const Group& group, std::int64_t end_ms);
// Gauges whose silence is proven leave, as long as others stay.
void DropAbsentGauges(State& s, Rule& rule, Cells& cells, std::int64_t end_ms);

// --- ways.cpp ---
// May what a missing series would bring make a test's "true" untrue?
bool MoreMayUndo(const plan::Test& test);

// --- verdict.cpp: values into verdicts ---
// What a group's tests say at `end_ms`, joined. `eagerly`: at the end of a record whose newest
// point is at `end_ms`; then only "true" counts, and only where nothing can undo it.
Judgement Decide(State& s, const Rule& rule, Group& group, std::int64_t end_ms, bool eagerly);
// The value of a group's first test at the watermark; nothing where there is none.
struct RankValue {
  std::optional<double> value;
  bool whole = false;  // everything is known of its window
  Why why = Why::kNever;
};
RankValue ValueForRank(const State& s, const Rule& rule, const Group& group, std::int64_t end_ms);

// --- known.cpp ---
// From when on everything is known that the rule's windows want.
std::int64_t KnownFrom(const State& s, const Rule& rule);
// Estimates from a part of a window that reaches back before it are not believed.
std::int64_t HardFrom(const State& s, const Rule& rule);
// Is everything known of a window that ended long ago?
bool KnownThen(const State& s, const Rule& rule, std::int64_t begin_ms, std::int64_t end_ms);

// --- levels.cpp: how bad it is ---
struct Stepped {
  Told told = Told::kNothing;
  std::uint8_t level_before = 0;
};
// Takes the alarm, and the levels of its severity, a step forward.
Stepped StepAlarm(const State& s, const Rule& rule, Group& group, const Judgement& j);
// No level is on its way or reached.
void CalmLevels(Group& group);
// Silence is no word about how bad it is: what is reached stays, but it was not clear meanwhile;
// where the silence is told, what is on its way begins anew.
void HushLevels(Group& group, bool told);
// The plan has other levels now: what was reached of a severity that is still there stays. True
// when the one that an open episode was told at is no more.
bool AmendLevels(const RuleSpec& before, bool same_condition, const RuleSpec& now, Group& group);
// The highest that is reached; 0 = none.
std::uint8_t LevelOf(const Group& group);
// The alarm stands as the log says, at this severity.
void SetLevels(const Rule& rule, plan::Severity severity, Group& group);

// --- judge.cpp ---
// One group at a step's end; the home's as s.merged has it.
void JudgeGroup(State& s, Rule& rule, Group& group, std::int64_t end_ms,
                std::vector<Transition>& out);
// True when the probe is over.
bool JudgeProbe(State& s, Rule& rule, std::int64_t end_ms, std::vector<Transition>& out);
void JudgeTouched(State& s, std::vector<Transition>& out);
void JudgeDue(State& s, std::vector<Transition>& out);

// --- tell.cpp ---
Transition Tell(const State& s, const Rule& rule, const Group& group, AlarmState state,
                const char* reason, const Judgement& j);
std::vector<Change> ChangesBefore(const Service& service, Instant now);

// --- overflow.cpp: more groups, or series, than there may be ---
// That of the rule, made if there is none.
Overflow& OverflowOf(State& s, Rule& rule);
void Refuse(State& s, Rule& rule, const Labels& labels);
void RefuseHash(State& s, Rule& rule, std::uint64_t hash);
// There was room after all.
void Admit(State& s, Rule& rule, const std::string& key);
// The same of a series of a service, where it has whom to tell.
void RefuseSeries(State& s, Service& service, const Fingerprint& series);
void AdmitSeries(State& s, Service& service, const Fingerprint& series);
// Tells of what was refused: when it begins, as it grows (not oftener than each minute), and its
// end.
void TellOverflows(State& s, std::vector<Transition>& out);
bool Overflows(const Rule& rule);
// How many there are of what there is room for, and what they are called.
std::size_t Watched(const State& s, const Rule& rule);
const char* RoomWord(Room room);
// It is told as over, for another reason than that there is room.
void EndOverflow(State& s, Rule& rule, const char* reason, std::vector<Transition>& out);
// Is the transition that of a rule's overflow?
bool IsOverflow(const Rule& rule, const Transition& t);
// The log says that the rule overflows, or does not; true = that is news.
bool AdoptOverflow(State& s, Rule& rule, const Transition& truth);

// --- timekeeping.cpp ---
void AdvanceClock(State& s, const RecordView& record);
void ApplyTick(State& s, const TickView& tick);
void Housekeep(State& s);
// Who was named last before this moment is idle.
std::int64_t IdleSince(const State& s);
// The mark of the clock that the record at hand passed, at which is forgotten what has no more use:
// the same one wherever a shard began. Until Housekeep.
std::optional<std::int64_t> MarkPassed(const State& s);
void StartRuleClock(State& s, Rule& rule);
std::int64_t BaseLateness(const State& s, const Rule& rule, Protocol protocol);
// How far its watermark is behind the clock. Until a series feeds it nobody knows how late its
// points may come.
std::int64_t LatenessOf(const State& s, const Rule& rule);

// --- forget.cpp ---
// Is an idle one new when it speaks again? It is unless a rule goes by what it said.
bool IsUnused(const State& s, std::uint32_t series);
// Does the rule go by what it said? Not where it would have left, whoever else is in its group.
bool Holds(const State& s, const Rule& rule, const Cells& cells, const Member& member);
// Members of rules of which no window can show anything any more.
void ForgetQuiet(State& s);

// --- view.cpp ---
// "now 612 ms, 1d ago 300 ms"; "" when the test is not compared or nothing is known.
std::string ComparedText(const plan::Test& test, const Compared& compared);
AlarmView ViewOf(const State& s, const Rule& rule, const Group& group);
// Of a rule without groups, or with too many.
AlarmView PlaceholderOf(const State& s, const Rule& rule);

// --- snapshot.cpp ---
std::vector<std::string> WriteState(const State& s);
bool ReadState(State& s, std::span<const std::string_view> sections, std::string& why);
void BeginCut(State& s);
// Encodes sections until there are `bytes` more; true when the cut is whole. There must be one.
bool ContinueCut(State& s, std::size_t bytes);
void CutService(State& s, std::uint32_t number);
void CutSeries(State& s, std::uint32_t id);
// Called before a service (its plan, rules, groups) or a series changes.
inline void BeforeService(State& s, std::uint32_t number) {
  if (s.cut) CutService(s, number);
}
inline void BeforeSeries(State& s, std::uint32_t id) {
  if (s.cut) CutSeries(s, id);
}
// Everything may change: a cut that is not whole is given up.
inline void BeforeAll(State& s) {
  if (s.cut && s.cut->left > 0) s.cut.reset();
}

}  // namespace liveops::engine
