#include "services/rule-evaluation/engine/oracle/oracle_life.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace liveops::engine::oracle {
namespace {

bool Upward(plan::Comparison op) {
  return op == plan::Comparison::kGreater || op == plan::Comparison::kGreaterEqual;
}

}  // namespace

void AlarmLife::NewEpisode(std::int64_t clock) {
  episode = clock > episode ? clock : episode + 1;
  step = 0;
}

void AlarmLife::Worst(const Manner& manner, const Finding& f) {
  if (std::isnan(f.value) || f.shown != shown) return;
  if (std::isnan(peak) || (Upward(manner.op) ? f.value > peak : f.value < peak)) peak = f.value;
}

std::optional<Word> AlarmLife::Judge(const Manner& manner, const Finding& f, std::int64_t clock) {
  if (!f.eager) ahead.erase(ahead.begin(), ahead.upper_bound(f.at));
  if (f.truth == Truth::kTrue) return True(manner, f, clock);
  if (f.truth == Truth::kFalse && !f.eager) return False(manner, f);
  return std::nullopt;
}

std::optional<Word> AlarmLife::Fire(const Finding& f, std::int64_t clock) {
  state = AlarmState::kFiring;
  NewEpisode(clock);
  peak = f.value;
  shown = f.shown;
  return Word{AlarmState::kFiring, "crossed"};
}

std::optional<Word> AlarmLife::True(const Manner& manner, const Finding& f, std::int64_t clock) {
  if (f.eager) ahead.insert(f.at);
  switch (state) {
    case AlarmState::kOk:
      state = AlarmState::kPending;
      since = f.at;
      return f.at - since >= manner.hold ? Fire(f, clock) : std::nullopt;
    case AlarmState::kPending:
      since = std::min(since, f.at);
      return f.at - since >= manner.hold ? Fire(f, clock) : std::nullopt;
    case AlarmState::kFiring:
      clear_since.reset();
      Worst(manner, f);
      return std::nullopt;
    default:  // no data
      if (!return_since) return_since = f.at;
      if (!fired_before_silence && f.at - *return_since < manner.hold) return std::nullopt;
      if (!fired_before_silence) since = *return_since;
      Worst(manner, f);
      return Return();
  }
}

std::optional<Word> AlarmLife::Return() {
  state = AlarmState::kFiring;
  fired_before_silence = false;
  return_since.reset();
  clear_since.reset();
  ++step;
  return Word{AlarmState::kFiring, "returned"};
}

std::optional<Word> AlarmLife::Close(const char* reason) {
  state = AlarmState::kOk;
  fired_before_silence = false;
  return_since.reset();
  clear_since.reset();
  ++step;
  return Word{AlarmState::kResolved, reason};
}

std::optional<Word> AlarmLife::False(const Manner& manner, const Finding& f) {
  const auto clears = [&] {
    return !manner.clear || plan::Holds(f.value, manner.clear->op, manner.clear->threshold);
  };
  // What is true again after this window stands.
  const bool again = !ahead.empty();
  switch (state) {
    case AlarmState::kPending:
      if (since > f.at) return std::nullopt;
      if (again) {
        since = *ahead.begin();
      } else {
        state = AlarmState::kOk;
      }
      return std::nullopt;
    case AlarmState::kFiring:
      if (since > f.at || again) return std::nullopt;
      if (!clears()) {
        clear_since.reset();
        return std::nullopt;
      }
      if (!clear_since) clear_since = f.at;
      if (manner.clear && f.at - *clear_since < manner.clear->hold.count()) return std::nullopt;
      return Close("recovered");
    case AlarmState::kNoData:
      if (again) return std::nullopt;
      // Back, neither crossed nor clear: what fired before fires on.
      return fired_before_silence && !clears() ? Return() : Close("returned");
    default:
      return std::nullopt;
  }
}

std::optional<Word> AlarmLife::FallSilent(std::int64_t at, std::int64_t clock) {
  return_since.reset();
  if (state == AlarmState::kNoData) return std::nullopt;
  clear_since.reset();
  fired_before_silence = state == AlarmState::kFiring;
  state = AlarmState::kNoData;
  if (fired_before_silence) {
    ++step;
  } else {
    NewEpisode(clock);
    since = at;
    peak = std::numeric_limits<double>::quiet_NaN();
    shown = 0;
  }
  return Word{AlarmState::kNoData, "silent"};
}

std::optional<Word> AlarmLife::Leave() {
  if (!open()) {
    state = AlarmState::kOk;
    return std::nullopt;
  }
  Close("gone");
  return Word{AlarmState::kGone, "gone"};
}

void AlarmLife::NewWords() {
  clear_since.reset();
  return_since.reset();
  if (state != AlarmState::kPending) return;
  state = AlarmState::kOk;
  ahead.clear();
}

void AlarmLife::Skip(std::int64_t length) {
  if (state == AlarmState::kPending) since += length;
  if (clear_since) *clear_since += length;
  if (return_since) *return_since += length;
  std::set<std::int64_t> later;
  for (const std::int64_t at : ahead) later.insert(at + length);
  ahead = std::move(later);
}

}  // namespace liveops::engine::oracle
