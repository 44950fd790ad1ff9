#include "services/rule-evaluation/engine/life.h"

#include <algorithm>
#include <cmath>

namespace liveops::engine {
namespace {

bool Set(Instant t) { return t != Instant{}; }

}  // namespace

double Worse(plan::Comparison op, double a, double b) {
  if (std::isnan(a)) return b;
  if (std::isnan(b)) return a;
  return Upward(op) ? std::max(a, b) : std::min(a, b);
}

void Life::Enter(AlarmState as, Instant at) {
  state = as;
  state_since = at;
}

void Life::Open(AlarmState as, const Judgement& j, Instant clock) {
  // Two episodes of one alarm never share a name, even within one millisecond.
  episode = Set(episode) ? std::max(clock, episode + Duration(1)) : clock;
  step = 0;
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
        Open(AlarmState::kFiring, j, clock);
        return Told::kFires;
      }
      Enter(AlarmState::kPending, j.at);
      return Told::kNothing;
    case AlarmState::kPending:
      since = std::min(since, j.at);
      if (j.at - since < rules.hold) return Told::kNothing;
      Open(AlarmState::kFiring, j, clock);
      return Told::kFires;
    case AlarmState::kFiring:
      Peak(rules, j);
      clear_since = {};
      return Told::kNothing;
    case AlarmState::kNoData:
      if (!Set(return_since)) return_since = j.at;
      if (!was_firing && j.at - return_since < rules.hold) return Told::kNothing;
      since = was_firing ? since : return_since;
      ++step;
      was_firing = false;
      return_since = {};
      clear_since = {};
      Peak(rules, j);
      Enter(AlarmState::kFiring, j.at);
      return Told::kReturnsFiring;
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
      if (rules.clear == nullptr) return Close(j.at);
      if (!plan::Holds(j.value, rules.clear->op, rules.clear->threshold)) {
        clear_since = {};
        return Told::kNothing;
      }
      if (!Set(clear_since)) clear_since = j.at;
      if (j.at - clear_since < rules.clear->hold) return Told::kNothing;
      return Close(j.at);
    }
    case AlarmState::kNoData: {
      if (!ahead.empty()) return Told::kNothing;
      if (was_firing && rules.clear != nullptr &&
          !plan::Holds(j.value, rules.clear->op, rules.clear->threshold)) {
        // Back, and neither crossed nor clear: it fires as before, until it is clear.
        ++step;
        was_firing = false;
        return_since = {};
        Enter(AlarmState::kFiring, j.at);
        return Told::kReturnsFiring;
      }
      Close(j.at);
      return Told::kReturnsResolved;
    }
    default:
      return Told::kNothing;
  }
}

Told Life::FallSilent(Instant at, Instant clock) {
  if (state == AlarmState::kNoData) {
    return_since = {};
    return Told::kNothing;
  }
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
  Open(AlarmState::kNoData, silence, clock);
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
}

bool Life::Read(ByteReader& in) {
  const std::uint64_t raw = in.Varint();
  if (raw < 1 || raw > 4) return false;
  state = static_cast<AlarmState>(raw);
  step = static_cast<std::uint32_t>(in.Varint());
  for (Instant* t : {&episode, &since, &state_since, &clear_since, &return_since}) {
    *t = InstantFromMs(in.Signed());
  }
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n)
    ahead.push_back(InstantFromMs(in.Signed()));
  was_firing = in.Bool();
  peak = in.Double();
  test = static_cast<std::uint8_t>(in.Varint() % plan::Condition::kTestsMax);
  return in.ok();
}

}  // namespace liveops::engine
