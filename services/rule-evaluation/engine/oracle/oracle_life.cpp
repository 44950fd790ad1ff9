#include "services/rule-evaluation/engine/oracle/oracle_life.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace liveops::engine::oracle {
namespace {

bool Upward(plan::Comparison op) {
  return op == plan::Comparison::kGreater || op == plan::Comparison::kGreaterEqual;
}

// How long it must be on the good side to be over.
std::int64_t GoodFor(const Manner& manner, bool flaps) {
  std::int64_t length = manner.keep;
  if (manner.clear) length = std::max<std::int64_t>(length, manner.clear->hold.count());
  if (flaps) length = std::max<std::int64_t>(length, manner.flapping->quiet.count());
  return length;
}

}  // namespace

void AlarmLife::Rename(std::int64_t clock) {
  episode = clock > episode ? clock : episode + 1;
  step = 0;
  eased = false;
}

// "The opening that is one more than `times` within `within` is told as flapping."
// Reading: silence that is told opens an alarm too.
void AlarmLife::Open(const Manner& manner, std::int64_t clock) {
  Rename(clock);
  flaps = false;
  swings = 0;
  Count(manner, clock);
}

// "A rise after a fall counts like an opening."
void AlarmLife::Worsen(const Manner& manner, std::int64_t clock) {
  if (eased) Count(manner, clock);
  eased = false;
}

void AlarmLife::Count(const Manner& manner, std::int64_t clock) {
  if (!manner.flapping) return;
  openings.push_back(clock);
  const std::int64_t after = clock - manner.flapping->within.count();
  const auto of_late = std::count_if(openings.begin(), openings.end(),
                                     [&](std::int64_t opened) { return opened > after; });
  if (flaps) {
    ++swings;
  } else if (of_late > manner.flapping->times) {
    flaps = true;
    swings = static_cast<std::uint32_t>(of_late);
  }
}

void AlarmLife::Calm() {
  openings.clear();
  flaps = false;
  swings = 0;
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

std::optional<Word> AlarmLife::Fire(const Manner& manner, const Finding& f, std::int64_t clock) {
  state = AlarmState::kFiring;
  Open(manner, clock);
  peak = f.value;
  shown = f.shown;
  return Word{AlarmState::kFiring, flaps ? "flapping" : "crossed", {}};
}

std::optional<Word> AlarmLife::Reach(const Manner& manner, const Finding& f, std::int64_t clock) {
  if (state == AlarmState::kFiring) return std::nullopt;
  if (state == AlarmState::kNoData) {
    since = return_since.value_or(f.at);
    Worst(manner, f);
    return Return();
  }
  if (state == AlarmState::kOk) since = f.at;
  return Fire(manner, f, clock);
}

std::optional<Word> AlarmLife::True(const Manner& manner, const Finding& f, std::int64_t clock) {
  if (f.eager) ahead.insert(f.at);
  switch (state) {
    case AlarmState::kOk:
      state = AlarmState::kPending;
      since = f.at;
      return f.at - since >= manner.hold ? Fire(manner, f, clock) : std::nullopt;
    case AlarmState::kPending:
      since = std::min(since, f.at);
      return f.at - since >= manner.hold ? Fire(manner, f, clock) : std::nullopt;
    case AlarmState::kFiring:
      clear_since.reset();
      Worst(manner, f);
      return std::nullopt;
    default:  // no data
      clear_since.reset();
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
  return Word{AlarmState::kFiring, "returned", {}};
}

std::optional<Word> AlarmLife::Close(const char* reason) {
  state = AlarmState::kOk;
  fired_before_silence = false;
  return_since.reset();
  clear_since.reset();
  if (flaps) openings.clear();  // it has been quiet: what it did before is over
  flaps = false;
  ++step;
  return Word{AlarmState::kResolved, reason, {}};
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
      if (f.at - *clear_since < GoodFor(manner, flaps)) return std::nullopt;
      return Close("recovered");
    case AlarmState::kNoData: {
      if (again) return std::nullopt;
      const bool good = clears();
      // Back: what fired before and is not clear, or is to stay open for some time, fires on.
      if (fired_before_silence && (!good || manner.keep > 0 || flaps)) {
        const std::optional<Word> word = Return();
        if (good) clear_since = f.at;
        return word;
      }
      if (!flaps) return Close("returned");
      // What its silence opened once too often stays as it is until it has been quiet.
      return_since.reset();
      if (!good) {
        clear_since.reset();
        return std::nullopt;
      }
      if (!clear_since) clear_since = f.at;
      return f.at - *clear_since < GoodFor(manner, flaps) ? std::nullopt : Close("returned");
    }
    default:
      return std::nullopt;
  }
}

void AlarmLife::Hush() {
  if (flaps) clear_since.reset();
}

std::optional<Word> AlarmLife::FallSilent(const Manner& manner, std::int64_t at,
                                          std::int64_t clock) {
  return_since.reset();
  Hush();
  if (state == AlarmState::kNoData || flaps) return std::nullopt;
  clear_since.reset();
  fired_before_silence = state == AlarmState::kFiring;
  state = AlarmState::kNoData;
  if (fired_before_silence) {
    ++step;
  } else {
    Open(manner, clock);
    since = at;
    peak = std::numeric_limits<double>::quiet_NaN();
    shown = 0;
  }
  return Word{AlarmState::kNoData, flaps && step == 0 ? "flapping" : "silent", {}};
}

std::optional<Word> AlarmLife::Leave() {
  if (!open()) {
    state = AlarmState::kOk;
    return std::nullopt;
  }
  Close("gone");
  return Word{AlarmState::kGone, "gone", {}};
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
