#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/base/labels.h"
#include "common/plan/model.h"
#include "common/sketch/sketch.h"
#include "services/rule-evaluation/engine/oracle/oracle_life.h"
#include "services/rule-evaluation/engine/oracle/oracle_points.h"
#include "services/rule-evaluation/engine/oracle/oracle_time.h"
#include "services/rule-evaluation/engine/record.h"
#include "services/rule-evaluation/engine/transition.h"

namespace liveops::engine::oracle {

// A worse severity of an alarm.
struct LevelBook {
  AlarmLife life;
  std::map<std::int64_t, Truth> slots;  // of a quorum, by their ends
};

// One alarm: a group of a watch.
struct GroupBook {
  Labels labels;
  AlarmLife life;
  // Nothing came in time yet, or its silence is known: is not judged until a point comes in time.
  bool asleep = true;
  Truth standing = Truth::kUnknown;  // is it among those with the greatest values, at this step?
  Finding last;                      // as it was last judged; the value is the last known one
  std::int64_t silence = 0;  // taken over from other windows: so long its series may be silent
  std::map<std::int64_t, Truth> slots;  // of a quorum, by their ends
  std::vector<LevelBook> levels;        // as the plan lists them
  std::optional<plan::Severity> told;   // that of the level at which it was told; none = its own

  void Note(Finding f);
};

// (from, to], in whole panes.
struct Span {
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::int64_t pane = 0;  // 0 = a thirtieth of the window
};

// A series that a test reads.
struct MemberBook {
  std::size_t series = 0;
  std::size_t test = 0;
  std::size_t operand = 0;
  Labels labels;                    // those that the test tells apart
  bool past = false;                // what it said at the earlier time that it is compared with
  std::vector<std::size_t> points;  // that came in time, as they came
  bool left = false;                // its silence was proven
  bool gone = false;                // likewise of one that is the last: it is missed by nobody
  bool forgotten = false;           // nobody waits for it any more
  bool spoke = false;               // before it was forgotten
};

// A series that speaks for one of the values that a test counts.
struct SpeakerBook {
  std::size_t series = 0;
  std::size_t test = 0;
  std::string value;
};

// The groups for which a condition has no room, and the alarm that says so.
struct OverflowBook {
  std::map<Labels, std::int64_t> refused;  // when they were last named
  AlarmLife life;
  std::size_t told = 0;
  std::int64_t told_at = 0;
};

// One condition of the plan in force.
struct Watch {
  plan::Alarm alarm;
  std::optional<std::int64_t> said_lateness;
  bool lateness_said_for_all = false;
  std::int64_t born = 0;      // its windows hold what came after
  std::int64_t judged = 0;    // the last time that it was judged for
  std::int64_t lateness = 0;  // the greatest of what feeds it
  std::vector<MemberBook> members;
  std::vector<MemberBook> departed;   // what they said counts as long as it is in a window
  std::vector<SpeakerBook> speakers;  // never more than one for a test and a series
  std::vector<std::unique_ptr<GroupBook>> groups;
  std::optional<OverflowBook> overflow;
  // It is no alarm, but says of each slice of this length of the objective whether it is good.
  std::int64_t slice = 0;
  bool of_slices = false;  // an alarm of an objective that counts slices

  const plan::Condition& when() const { return alarm.when; }
  const plan::Test& test(std::size_t i) const { return plan::TestOf(alarm.when, i); }
  std::size_t tests() const { return plan::TestCount(alarm.when); }
  // Do the alarms have series of their own for the test, or do they share them?
  bool own(std::size_t i) const { return test(i).by == alarm.when.by; }
  // A test counts who reports.
  bool counts(std::size_t i) const {
    return test(i).measure.form == plan::Measure::Form::kReporters;
  }
  bool counts_itself() const;
  bool distinct(const MemberBook& m) const {
    return test(m.test).measure.operands[m.operand].aggregate == plan::Aggregate::kDistinct;
  }
  std::int64_t StepMs() const;
  std::int64_t LongestWindowMs() const;
  // How the alarm lives while the value of this test is told, and how a level of it does.
  Manner Rules(std::size_t shown) const;
  Manner RulesOfLevel(std::size_t level, bool flaps) const;
};

// What a test's series say in a span.
struct Amount {
  bool known = false;
  bool counts_nothing = false;  // there is a denominator, and it is 0
  bool of_events = false;       // it is an estimate from events
  double value = 0;
  double events = 0;
  double bad = 0;  // of a ratio or a shortfall: those of the events
};

// What the engine must tell.
struct Expected {
  Transition transition;
  double events = 0;  // its points, not rounded
};

// The rules of verdicts.md, worked out at each judgement from every point that was ever said. Slow,
// and written apart from the engine. For logs whose clock is never set, at speed 1, of one service.
//
// Where the text leaves something open it says so, beginning with "Reading:".
class Oracle {
 public:
  // So many groups a condition may have; `eager`: alarms may fire before the watermark has passed.
  explicit Oracle(std::size_t groups_max, bool eager = true)
      : groups_max_(groups_max), eager_(eager) {}
  // By metric, those that are of other services: the evaluator still takes all series for those of
  // one.
  void SetServices(std::map<std::string, std::string> services) { services_ = std::move(services); }
  void Apply(const RecordView& record, std::vector<Expected>& out);
  // By name, of the alarms that say how much of an error budget is left: as they were judged last.
  std::map<std::string, Finding> Budgets() const;

 private:
  // What a record brought to a group's test.
  struct Touch {
    std::int64_t from = INT64_MAX;
    std::int64_t to = INT64_MIN;
    std::set<std::size_t> operands;
  };
  using Touches = std::map<std::size_t, Touch>;  // by test

  // --- oracle.cpp ---
  void Stood(const Time::Stall& stall);
  void Take(const RecordView& record, const BatchView& batch);
  void Name(Watch& watch, std::size_t series);
  void JudgeTouched(Watch& watch, GroupBook& group, const Touches& touches);
  void JudgeDue(Watch& watch);
  void JudgeStep(Watch& watch);
  void Judge(Watch& watch, GroupBook& group, std::int64_t end);
  // oracle_top.cpp
  void Rank(const Watch& watch, std::int64_t end) const;
  void Silence(Watch& watch, GroupBook& group, Finding f);
  // Does a watch go by what it said?
  bool Holds(const Watch& watch, const MemberBook& member) const;
  // After an hour; at the ten minutes of the clock.
  bool IsForgotten(std::size_t series) const;
  void Housekeep();
  void ForgetSpeakers(Watch& watch, std::size_t test, std::int64_t before) const;
  void DropAllGauges(Watch& watch) const;
  static void Forget(Watch& watch, const GroupBook& group);
  void Tell(const Watch& watch, const GroupBook& group, const Word& word, const Finding& f);

  // --- oracle_forget.cpp ---
  void ForgetQuiet();
  bool IsQuiet(const Watch& watch, const MemberBook& member, std::int64_t end) const;
  // It is as one that is new to the watch.
  static void Return(Watch& watch, MemberBook& member);

  // --- oracle_slices.cpp ---
  const Watch* JudgeOf(const Watch& watch) const;
  void JudgeSliced();
  void CloseSlice(Watch& judge);
  Truth DecideSlice(const Watch& judge, std::size_t test, std::int64_t end) const;
  void CountSlice(const Watch& judge, std::int64_t end, bool bad);

  // --- oracle_decommission.cpp ---
  void Decommission(const DecommissionView& view);
  void Leave(Watch& watch, GroupBook& group, const Labels& pairs);
  // A record names a series: did it leave, or is it back?
  void Recall(std::size_t series, std::size_t entry, const BatchView& batch);
  bool Reads(std::size_t series) const;

  // --- oracle_levels.cpp ---
  std::optional<Word> Step(const Watch& watch, GroupBook& group, const Finding& f) const;
  std::optional<Word> StepLevels(const Watch& watch, GroupBook& group, const Finding& f) const;
  // The plan says something else now of how bad the alarm is.
  std::optional<Word> Regrade(const Watch& old, const Watch& fresh, GroupBook& group) const;

  // --- oracle_overflow.cpp ---
  bool HasRoom(Watch& watch, const Labels& labels);
  void TellOverflow(Watch& watch, const Word& word);
  void CheckOverflow(Watch& watch);
  void EndOverflow(Watch& watch, const char* reason);

  // --- oracle_plan.cpp ---
  void ActivatePlan(const PlanActivationView& view);
  void Start(Watch& watch) const;
  std::unique_ptr<Watch> Replace(Watch& old, std::unique_ptr<Watch> fresh);
  void Withdraw(Watch& watch, const char* reason);
  void GoOn(Watch& old, Watch& fresh, bool same, bool same_purpose);
  std::int64_t LatenessOf(const Watch& watch) const;
  std::int64_t LatenessFor(const Watch& watch, Protocol protocol) const;

  // --- oracle_silence.cpp ---
  bool Doubted(std::int64_t since) const;
  std::int64_t NewestTime(const MemberBook& member) const;
  // Ends with its silence: a gauge, and what is counted by its label.
  bool Ends(const Watch& watch, const MemberBook& member) const;
  bool Absent(const Watch& watch, const MemberBook& member, std::int64_t end) const;
  bool Missing(const Watch& watch, const GroupBook& group, std::size_t test,
               std::int64_t end) const;
  bool HasPrimaries(const Watch& watch, const GroupBook& group) const;
  bool Silent(const Watch& watch, const GroupBook& group, std::int64_t end) const;
  bool Leaves(const Watch& watch, const GroupBook& group) const;
  void DropGauges(Watch& watch, std::size_t test, bool past, const Labels& labels,
                  std::int64_t end) const;

  // --- oracle_speakers.cpp ---
  struct Heads {
    std::size_t known = 0;    // ever spoke
    std::size_t here = 0;     // speak
    std::size_t perhaps = 0;  // do not, which proves nothing
  };
  void NameSpeaker(Watch& watch, std::size_t test, std::size_t series) const;
  Heads CountHeads(const Watch& watch, std::size_t test, std::int64_t end) const;
  // Against what a value is held, and how what depends on it stands.
  struct Bar {
    plan::Comparison op = plan::Comparison::kGreater;
    double threshold = 0;
    const AlarmLife* life = nullptr;
  };
  Finding DecideHeads(const Watch& watch, std::size_t test, std::int64_t end, const Bar& bar) const;

  // --- oracle_verdict.cpp ---
  Finding Decide(const Watch& watch, GroupBook& group, std::int64_t end,
                 const Touches* touches) const;
  Finding DecideTest(const Watch& watch, const GroupBook& group, std::size_t test, std::int64_t end,
                     bool eager, const Bar& bar) const;
  Truth DecideLevel(const Watch& watch, GroupBook& group, std::size_t level, std::int64_t end,
                    const Touches* touches, Truth joined) const;
  std::optional<Amount> PartOfThen(const Watch& watch, const GroupBook& group, std::size_t test,
                                   std::int64_t end, const Amount& now) const;
  bool MayBeEager(const Watch& watch, const GroupBook& group, std::size_t test,
                  const Touches& touches) const;

  // --- oracle_measure.cpp ---
  using MemberBooks = std::vector<const MemberBook*>;
  MemberBooks Members(const Watch& watch, const GroupBook& group, std::size_t test,
                      bool past = false) const;
  Amount Measure(const Watch& watch, const GroupBook& group, std::size_t test, const Span& span,
                 bool sure, bool past = false) const;
  Amount OfOperand(const plan::Test& test, std::size_t operand, const MemberBooks& members,
                   const Span& span, bool sure) const;
  Amount OfCounters(const plan::Operand& operand, bool ratio, const MemberBooks& members,
                    const Span& span, bool sure) const;
  Amount OfLabels(const plan::Operand& operand, const MemberBooks& members, const Span& span,
                  bool sure) const;
  Amount OfGauges(const plan::Test& test, plan::Aggregate aggregate, const MemberBooks& members,
                  const Span& span) const;
  bool HeardOfAll(const plan::Measure& measure, const MemberBooks& members) const;
  Amount OfFormula(const plan::Test& test, const MemberBooks& members, const Span& span) const;
  std::optional<double> OfGauge(plan::Aggregate aggregate, const MemberBook& member,
                                const Span& span) const;
  Amount OfDistribution(const plan::Test& test, const plan::Operand& operand,
                        const MemberBooks& members, const Span& span) const;
  sketch::Sketch Observed(const MemberBooks& members, const Span& span) const;
  // The points of a series after `from`, up to `to`, as they came.
  std::vector<const Point*> In(const MemberBook& member, std::int64_t from, std::int64_t to) const;
  const Point* NewestUpTo(const MemberBook& member, std::int64_t to) const;
  // "A window without a point uses the series' newest one until 2 x its reporting interval."
  const Point* StillGood(const MemberBook& member, const Span& span) const;

  std::size_t groups_max_;
  bool eager_;
  std::map<std::string, std::string> services_;
  Time time_;
  Points points_;
  std::uint64_t version_ = 0;
  std::vector<std::unique_ptr<Watch>> watches_;
  std::vector<std::pair<Labels, std::int64_t>> decommissions_;  // and when
  std::vector<Span> holes_;               // of the log, and times when points were refused
  std::int64_t refused_ = INT64_MIN / 2;  // when ingest last refused points of the service
  std::int64_t hard_from_ = INT64_MIN / 2;
  std::int64_t housekept_ = 0;
  std::int64_t soft_from_ = INT64_MIN / 2;
  std::int64_t frozen_until_ = INT64_MIN / 2;
  std::int64_t offset_ = 0;
  std::vector<Expected>* out_ = nullptr;
};

// Kleene's logic over the steps of a condition, of what its tests found.
Truth Joined(const plan::Condition& when, const std::vector<Truth>& tests);
// Parts of a whole do not add up to it to the bit: so near to the threshold it is at it.
double AtThreshold(double value, double threshold);
// Does a series of this kind say something that the aggregate can use?
bool Fits(SeriesKind kind, plan::Aggregate aggregate);
bool Upward(plan::Comparison op);
bool IsGauge(const SeriesBook& series);
// Does the aggregate take what the series said as readings, one by one?
// Reading: of a counter each increase that it reported is one; then it leaves as a gauge does.
bool IsRead(const SeriesBook& series, plan::Aggregate aggregate);
// The labels named by `by`; one that is missing is empty.
Labels Pick(const std::vector<std::string>& by, const Labels& labels);

}  // namespace liveops::engine::oracle
