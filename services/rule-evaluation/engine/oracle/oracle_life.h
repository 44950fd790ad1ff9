#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <vector>

#include "common/plan/model.h"
#include "services/rule-evaluation/engine/transition.h"

namespace liveops::engine::oracle {

enum class Truth { kUnknown, kFalse, kTrue };

// What was found when a group was judged.
struct Finding {
  Truth truth = Truth::kUnknown;
  bool eager = false;
  std::int64_t at = 0;    // the window's end
  std::size_t shown = 0;  // of the condition's tests, the one whose value is told
  double value = std::numeric_limits<double>::quiet_NaN();
  double points = 0;
  bool counts_nothing = false;  // there is a denominator, and it is 0
  std::vector<Truth> levels;    // how the alarm's worse severities came out
};

struct Manner {
  plan::Comparison op = plan::Comparison::kGreater;
  std::int64_t hold = 0;
  std::optional<plan::Clear> clear;
  std::int64_t keep = 0;  // stays open so long after it was last true
  std::optional<plan::Flapping> flapping;
};

// A step that is told.
struct Word {
  AlarmState state = AlarmState::kFiring;
  const char* reason = "";
  std::optional<plan::Severity> before;  // the severity changed
};

// The one thing that is carried from judgement to judgement: how an alarm stands.
struct AlarmLife {
  AlarmState state = AlarmState::kOk;
  std::int64_t episode = INT64_MIN;
  std::uint32_t step = 0;
  std::int64_t since = 0;
  std::set<std::int64_t> ahead;  // eager trues that the watermark has not reached
  std::optional<std::int64_t> clear_since;
  std::optional<std::int64_t> return_since;
  bool fired_before_silence = false;
  double peak = std::numeric_limits<double>::quiet_NaN();
  std::size_t shown = 0;
  std::vector<std::int64_t> openings;  // when it opened, as far as it may still matter
  bool eased = false;                  // it became less bad, and not worse since
  bool flaps = false;                  // the open episode was one too many
  std::uint32_t swings = 0;            // at the last opening that was: how many there were

  bool open() const { return state == AlarmState::kFiring || state == AlarmState::kNoData; }

  std::optional<Word> Judge(const Manner& manner, const Finding& f, std::int64_t clock);
  std::optional<Word> FallSilent(const Manner& manner, std::int64_t at, std::int64_t clock);
  // It is silent, which is not told: to a flapping alarm that is no quiet.
  void Hush();
  // What is not open yet fires whatever its hold says; what was opened by silence returns.
  std::optional<Word> Reach(const Manner& manner, const Finding& f, std::int64_t clock);
  std::optional<Word> Leave();
  // The episode goes on under another name.
  void Rename(std::int64_t clock);
  // It became worse; after it was less bad that is as tiresome as an opening.
  void Worsen(const Manner& manner, std::int64_t clock);
  // Nothing is damped any more.
  void Calm();
  // The condition is another: holds that ran under the old one begin anew.
  void NewWords();
  // So long nobody looked: it does not count towards any hold.
  void Skip(std::int64_t length);

 private:
  std::optional<Word> True(const Manner& manner, const Finding& f, std::int64_t clock);
  std::optional<Word> False(const Manner& manner, const Finding& f);
  std::optional<Word> Fire(const Manner& manner, const Finding& f, std::int64_t clock);
  void Open(const Manner& manner, std::int64_t clock);
  void Count(const Manner& manner, std::int64_t clock);
  std::optional<Word> Return();
  std::optional<Word> Close(const char* reason);
  void Worst(const Manner& manner, const Finding& f);
};

}  // namespace liveops::engine::oracle
