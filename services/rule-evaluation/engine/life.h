#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/time.h"
#include "common/plan/model.h"
#include "services/rule-evaluation/engine/transition.h"

namespace liveops::engine {

enum class Verdict : std::uint8_t { kUnknown, kFalse, kTrue };

// Why the last judgement came out as it did, for people.
enum class Why : std::uint8_t {
  kNever,       // not judged yet
  kJudged,      // there was a value
  kTooFew,      // true, but too few events
  kNoPoints,    // no point was ever seen
  kNoEvents,    // the denominator counted nothing
  kNotCovered,  // the window reaches back before what is known
  kQuiet,       // no value, and the silence proves nothing (yet)
  kSilent,      // proven absence
  kNoThen,      // it is compared with an earlier time, of which nothing is known
  kOutside,     // not among the groups with the greatest values, which alone are judged
  kNoRank,      // true, but whether it is among them is not known
};

// What a value that is compared with an earlier time was made from, in the measure's unit.
struct Compared {
  double now = std::numeric_limits<double>::quiet_NaN();
  double then = std::numeric_limits<double>::quiet_NaN();
};

// What one judgement of one group found.
struct Judgement {
  Verdict verdict = Verdict::kUnknown;
  Why why = Why::kNever;
  Instant at{};           // the window's end; eagerly the event time
  bool eager = false;     // at the end of a record; else at the watermark
  std::uint8_t test = 0;  // of the condition, whose value is told
  // Of the rule's levels, a bit each: surely reached; surely not.
  std::uint8_t levels_true = 0;
  std::uint8_t levels_false = 0;
  double value = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  double points = 0;
  Compared compared;
};

// What a step of an alarm's life has to be told, if anything.
enum class Told : std::uint8_t {
  kNothing,
  kFires,            // "crossed"
  kRecovers,         // "recovered"
  kFallsSilent,      // "silent"
  kReturnsFiring,    // "returned"
  kReturnsResolved,  // "returned"
  kGone,
  kEscalates,  // "escalated"
  kEases,      // "eased"
};

// The rules by which one alarm lives.
struct LifeRules {
  plan::Comparison op = plan::Comparison::kGreater;
  Duration hold{0};
  const plan::Clear* clear = nullptr;
  Duration keep{0};  // stays open so long after it was last true
  const plan::Flapping* flapping = nullptr;
};

// The life of one alarm, `verdicts.md`'s "Life": a value that judgements step forward. Pure.
//   ok -> pending -> firing -> ok, beside it no_data.
struct Life {
  AlarmState state = AlarmState::kOk;  // kOk, kPending, kFiring or kNoData
  Instant episode{};                   // of the open or the last one
  std::uint32_t step = 0;              // of the last transition
  Instant since{};             // pending, firing: first true; no data: when the silence was proven
  Instant state_since{};       // when the state was entered
  std::vector<Instant> ahead;  // eager trues that the watermark has not passed, ascending
  Instant clear_since{};       // the clear condition holds since; epoch = it does not
  Instant return_since{};      // no data: true again since; epoch = not
  bool was_firing = false;     // no data: it fired before
  double peak = std::numeric_limits<double>::quiet_NaN();
  std::uint8_t test = 0;  // of the condition, whose value opened the episode and whose peak it is

  std::vector<Instant> openings;  // where the rules damp flapping: the last ones
  bool damped = false;            // it flaps: stays open until it has been quiet
  bool eased = false;             // its severity fell, and did not rise since
  std::uint32_t swings = 0;       // of a flapping episode: how often it opened or would have

  bool open() const { return IsOpen(state); }

  // A verdict with a value (true, false or unknown). `clock` names a new episode.
  Told Step(const LifeRules& rules, const Judgement& j, Instant clock);
  // Proven silence of an alarm whose plan says that silence is told.
  Told FallSilent(const LifeRules& rules, Instant at, Instant clock);
  // It is silent, which is told of no alarm: to one that flaps silence is no quiet.
  void Hush(const LifeRules& rules);
  // What is not open yet fires whatever its hold says, and what silence opened returns.
  Told FireNow(const LifeRules& rules, const Judgement& j, Instant clock);
  // Its severity fell; or it rose, which counts as an opening if it had fallen before.
  void Ease() { eased = true; }
  void Worsen(const LifeRules& rules, Instant clock);
  // The rules damp nothing any more.
  void Undamp();
  // An open episode goes on under another name.
  void Rename(Instant clock);
  // The group's last series left.
  Told Leave(Instant at);
  // Time passed that nobody observed: it does not count towards any hold.
  void Skip(Duration length);

  void Write(ByteWriter& out) const;
  bool Read(ByteReader& in);

 private:
  Told ReturnFiring(Instant at);
  Told ReturnGood(const LifeRules& rules, const Judgement& j);
  void Open(const LifeRules& rules, AlarmState as, const Judgement& j, Instant clock);
  void CountOpening(const LifeRules& rules, Instant clock);
  Duration ClearHold(const LifeRules& rules) const;
  bool Damped(const LifeRules& rules) const { return damped && rules.flapping != nullptr; }
  void Peak(const LifeRules& rules, const Judgement& j);
  void Enter(AlarmState as, Instant at);
  Told Close(Instant at);
  Told StepTrue(const LifeRules& rules, const Judgement& j, Instant clock);
  Told StepFalse(const LifeRules& rules, const Judgement& j);
};

// The worse of two values in the direction of `op`; a NaN loses.
double Worse(plan::Comparison op, double a, double b);

}  // namespace liveops::engine
