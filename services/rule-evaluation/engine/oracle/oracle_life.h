#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>

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
};

struct Manner {
  plan::Comparison op = plan::Comparison::kGreater;
  std::int64_t hold = 0;
  std::optional<plan::Clear> clear;
};

// A step that is told.
struct Word {
  AlarmState state = AlarmState::kFiring;
  const char* reason = "";
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

  bool open() const { return state == AlarmState::kFiring || state == AlarmState::kNoData; }

  std::optional<Word> Judge(const Manner& manner, const Finding& f, std::int64_t clock);
  std::optional<Word> FallSilent(std::int64_t at, std::int64_t clock);
  std::optional<Word> Leave();
  // The condition is another: holds that ran under the old one begin anew.
  void NewWords();
  // So long nobody looked: it does not count towards any hold.
  void Skip(std::int64_t length);

 private:
  std::optional<Word> True(const Manner& manner, const Finding& f, std::int64_t clock);
  std::optional<Word> False(const Manner& manner, const Finding& f);
  std::optional<Word> Fire(const Finding& f, std::int64_t clock);
  std::optional<Word> Return();
  std::optional<Word> Close(const char* reason);
  void NewEpisode(std::int64_t clock);
  void Worst(const Manner& manner, const Finding& f);
};

}  // namespace liveops::engine::oracle
