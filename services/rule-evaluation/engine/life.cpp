#include "services/rule-evaluation/engine/life.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace liveops::engine {
namespace {

// More openings than a plan may ask to be counted, over the longest time.
constexpr std::size_t kOpeningsMax = plan::Flapping::kTimesMax + 1;

bool Set(Instant t) { return t != Instant{}; }

bool IsClear(const LifeRules& rules, const Judgement& j) {
  return rules.clear == nullptr || plan::Holds(j.value, rules.clear->op, rules.clear->threshold);
}

Duration OwnClearHold(const LifeRules& rules) {
  return rules.clear == nullptr ? rules.keep : std::max(rules.clear->hold, rules.keep);
}

}  // namespace

double Worse(plan::Comparison op, double a, double b) {
  if (std::isnan(a)) return b;
  if (std::isnan(b)) return a;
  return plan::IsUpward(op) ? std::max(a, b) : std::min(a, b);
}

void Life::Enter(AlarmState as, Instant at) {
  state = as;
  state_since = at;
}

// Two episodes of one alarm never share a name, even within one millisecond.
void Life::Rename(Instant clock) {
  episode = Set(episode) ? std::max(clock, episode + Duration(1)) : clock;
  step = 0;
  eased = false;
}

void Life::Undamp() {
  openings.clear();
  damped = false;
  swings = 0;
}

// An opening, or what is as tiresome: one too many of late is damped.
void Life::CountOpening(const LifeRules& rules, Instant clock) {
  if (rules.flapping == nullptr) return;
  openings.push_back(clock);
  if (openings.size() > kOpeningsMax) openings.erase(openings.begin());
  if (damped) {
    ++swings;
    return;
  }
  // All are kept, since an edit may have more of them count.
  const auto first =
      std::upper_bound(openings.begin(), openings.end(), clock - rules.flapping->within);
  const auto of_late = static_cast<std::size_t>(openings.end() - first);
  damped = of_late > rules.flapping->times;
  if (damped) swings = static_cast<std::uint32_t>(of_late);
}

void Life::Worsen(const LifeRules& rules, Instant clock) {
  if (std::exchange(eased, false)) CountOpening(rules, clock);
}

// How long it must be on the good side to be over.
Duration Life::ClearHold(const LifeRules& rules) const {
  const Duration own = OwnClearHold(rules);
  return Damped(rules) ? std::max(own, rules.flapping->quiet) : own;
}

void Life::Open(const LifeRules& rules, AlarmState as, const Judgement& j, Instant clock) {
  Rename(clock);
  damped = false;
  swings = 0;
  CountOpening(rules, clock);
  clear_since = {};
  return_since = {};
  peak = j.value;
  test = j.test;
  Enter(as, j.at);
}

// The greatest value of one test's: those of others are no measure of it.
void Life::Peak(const LifeRules& rules, const Judgement& j) {
  if (j.test == test) peak = Worse(rules.op, peak, j.value);
}

Told Life::Close(Instant at) {
  ++step;
  clear_since = {};
  return_since = {};
  was_firing = false;
  if (damped) openings.clear();  // it has been quiet: what it did before is over
  damped = false;
  Enter(AlarmState::kOk, at);
  return Told::kRecovers;
}

Told Life::Step(const LifeRules& rules, const Judgement& j, Instant clock) {
  if (!j.eager) {
    ahead.erase(ahead.begin(), std::upper_bound(ahead.begin(), ahead.end(), j.at));
  }
  if (j.verdict == Verdict::kTrue) return StepTrue(rules, j, clock);
  if (j.verdict == Verdict::kFalse && !j.eager) return StepFalse(rules, j);
  return Told::kNothing;
}

Told Life::StepTrue(const LifeRules& rules, const Judgement& j, Instant clock) {
  if (j.eager) {
    const auto it = std::lower_bound(ahead.begin(), ahead.end(), j.at);
    if (it == ahead.end() || *it != j.at) ahead.insert(it, j.at);
  }
  switch (state) {
    case AlarmState::kOk:
      since = j.at;
      if (rules.hold <= Duration(0)) {
        Open(rules, AlarmState::kFiring, j, clock);
        return Told::kFires;
      }
      Enter(AlarmState::kPending, j.at);
      return Told::kNothing;
    case AlarmState::kPending:
      since = std::min(since, j.at);
      if (j.at - since < rules.hold) return Told::kNothing;
      Open(rules, AlarmState::kFiring, j, clock);
      return Told::kFires;
    case AlarmState::kFiring:
      Peak(rules, j);
      // Undamped it would have been over, and opened again.
      if (Damped(rules) && Set(clear_since) && j.at - clear_since >= OwnClearHold(rules)) ++swings;
      clear_since = {};
      return Told::kNothing;
    case AlarmState::kNoData:
      clear_since = {};
      if (!Set(return_since)) return_since = j.at;
      if (!was_firing && j.at - return_since < rules.hold) return Told::kNothing;
      since = was_firing ? since : return_since;
      Peak(rules, j);
      return ReturnFiring(j.at);
    default:
      return Told::kNothing;
  }
}

Told Life::StepFalse(const LifeRules& rules, const Judgement& j) {
  switch (state) {
    case AlarmState::kPending:
      if (since > j.at) return Told::kNothing;
      if (!ahead.empty()) {
        since = ahead.front();  // already true again, after this window
        state_since = since;
      } else {
        Enter(AlarmState::kOk, j.at);
      }
      return Told::kNothing;
    case AlarmState::kFiring: {
      if (since > j.at || !ahead.empty()) return Told::kNothing;
      if (!IsClear(rules, j)) {
        clear_since = {};
        return Told::kNothing;
      }
      if (!Set(clear_since)) clear_since = j.at;
      if (j.at - clear_since < ClearHold(rules)) return Told::kNothing;
      return Close(j.at);
    }
    case AlarmState::kNoData:
      return ahead.empty() ? ReturnGood(rules, j) : Told::kNothing;
    default:
      return Told::kNothing;
  }
}

Told Life::ReturnFiring(Instant at) {
  ++step;
  was_firing = false;
  return_since = {};
  Enter(AlarmState::kFiring, at);
  return Told::kReturnsFiring;
}

// Data is back, and false.
Told Life::ReturnGood(const LifeRules& rules, const Judgement& j) {
  const bool clear = IsClear(rules, j);
  return_since = {};
  clear_since = !clear ? Instant{} : Set(clear_since) ? clear_since : j.at;
  // What fired before and is not clear, or has to be so for longer, fires on.
  if (was_firing && (!clear || rules.keep > Duration(0) || Damped(rules))) {
    return ReturnFiring(j.at);
  }
  // What was silent once too often stays so until it has been quiet.
  if (Damped(rules) && (!clear || j.at - clear_since < ClearHold(rules))) return Told::kNothing;
  Close(j.at);
  return Told::kReturnsResolved;
}

void Life::Hush(const LifeRules& rules) {
  if (Damped(rules)) clear_since = {};
}

Told Life::FireNow(const LifeRules& rules, const Judgement& j, Instant clock) {
  if (state == AlarmState::kNoData && !was_firing) {
    since = Set(return_since) ? return_since : j.at;
    Peak(rules, j);
    return ReturnFiring(j.at);
  }
  if (state != AlarmState::kOk && state != AlarmState::kPending) return Told::kNothing;
  if (state == AlarmState::kOk) since = j.at;
  Open(rules, AlarmState::kFiring, j, clock);
  return Told::kFires;
}

Told Life::FallSilent(const LifeRules& rules, Instant at, Instant clock) {
  Hush(rules);
  if (state == AlarmState::kNoData) {
    return_since = {};
    return Told::kNothing;
  }
  if (state == AlarmState::kFiring && Damped(rules)) return Told::kNothing;
  if (state == AlarmState::kFiring) {
    was_firing = true;
    ++step;
    clear_since = {};
    return_since = {};
    Enter(AlarmState::kNoData, at);
    return Told::kFallsSilent;
  }
  was_firing = false;
  since = at;
  Judgement silence;
  silence.at = at;
  Open(rules, AlarmState::kNoData, silence, clock);
  return Told::kFallsSilent;
}

Told Life::Leave(Instant at) {
  const bool was_open = open();
  if (was_open) {
    Close(at);
    return Told::kGone;
  }
  if (state == AlarmState::kPending) Enter(AlarmState::kOk, at);
  return Told::kNothing;
}

void Life::Skip(Duration length) {
  if (state == AlarmState::kPending) since += length;
  for (Instant& t : ahead) t += length;
  for (Instant* t : {&clear_since, &return_since}) {
    if (Set(*t)) *t += length;
  }
}

void Life::Write(ByteWriter& out) const {
  out.Varint(static_cast<std::uint64_t>(state));
  out.Varint(step);
  for (const Instant t : {episode, since, state_since, clear_since, return_since}) {
    out.Signed(ToMs(t));
  }
  out.Varint(ahead.size());
  for (const Instant t : ahead) out.Signed(ToMs(t));
  out.Bool(was_firing);
  out.Double(peak);
  out.Varint(test);
  out.Varint(openings.size());
  for (const Instant t : openings) out.Signed(ToMs(t));
  out.Bool(damped);
  out.Bool(eased);
  out.Varint(swings);
}

bool Life::Read(ByteReader& in) {
  const std::uint64_t raw = in.Varint();
  if (raw < 1 || raw > 4) return false;
  state = static_cast<AlarmState>(raw);
  step = static_cast<std::uint32_t>(in.Varint());
  for (Instant* t : {&episode, &since, &state_since, &clear_since, &return_since}) {
    *t = InstantFromMs(in.Milliseconds());
  }
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n)
    ahead.push_back(InstantFromMs(in.Milliseconds()));
  was_firing = in.Bool();
  peak = in.Double();
  test = static_cast<std::uint8_t>(in.Varint() % plan::Condition::kTestsMax);
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n)
    openings.push_back(InstantFromMs(in.Milliseconds()));
  damped = in.Bool();
  eased = in.Bool();
  swings = static_cast<std::uint32_t>(in.Varint());
  return in.ok();
}

}  // namespace liveops::engine
