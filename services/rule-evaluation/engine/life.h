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
};

// What one judgement of one group found.
struct Judgement {
  Verdict verdict = Verdict::kUnknown;
  Why why = Why::kNever;
  Instant at{};           // the window's end; eagerly the event time
  bool eager = false;     // at the end of a record; else at the watermark
  std::uint8_t test = 0;  // of the condition, whose value is told
  double value = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  double points = 0;
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
};

// The rules by which one alarm lives.
struct LifeRules {
  plan::Comparison op = plan::Comparison::kGreater;
  Duration hold{0};
  const plan::Clear* clear = nullptr;
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

  bool open() const { return state == AlarmState::kFiring || state == AlarmState::kNoData; }

  // A verdict with a value (true, false or unknown). `clock` names a new episode.
  Told Step(const LifeRules& rules, const Judgement& j, Instant clock);
  // Proven silence of an alarm whose plan says that silence is told.
  Told FallSilent(Instant at, Instant clock);
  // The group's last series left.
  Told Leave(Instant at);
  // Time passed that nobody observed: it does not count towards any hold.
  void Skip(Duration length);

  void Write(ByteWriter& out) const;
  bool Read(ByteReader& in);

 private:
  void Open(AlarmState as, const Judgement& j, Instant clock);
  void Peak(const LifeRules& rules, const Judgement& j);
  void Enter(AlarmState as, Instant at);
  Told Close(Instant at);
  Told StepTrue(const LifeRules& rules, const Judgement& j, Instant clock);
  Told StepFalse(const LifeRules& rules, const Judgement& j);
};

// The worse of two values in the direction of `op`; a NaN loses.
double Worse(plan::Comparison op, double a, double b);
inline bool Upward(plan::Comparison op) {
  return op == plan::Comparison::kGreater || op == plan::Comparison::kGreaterEqual;
}

}  // namespace liveops::engine
