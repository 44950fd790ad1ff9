#include "services/rule-evaluation/engine/clock.h"

#include <algorithm>

namespace liveops::engine {
namespace {

constexpr std::size_t kEvidenceMax = 31;
constexpr std::size_t kEvidenceAgainstTicks = 5;
// Emitters send somewhat late, never early.
constexpr std::int64_t kEvidenceBehindMs = 120'000;
constexpr std::int64_t kEvidenceAheadMs = 10'000;

}  // namespace

void PartitionClock::Hold(bool contradicted) {
  if (!held_) {
    held_ = true;
    contradicted_ = false;
    evidence_.clear();
    ++steps_held_;
    for (auto& [name, anchor] : anchors_) anchor.during_hold = false;
  }
  contradicted_ = contradicted_ || contradicted;
}

void PartitionClock::Release() {
  held_ = false;
  contradicted_ = false;
  evidence_.clear();
}

bool PartitionClock::Corroborated() const {
  if (evidence_.size() < (contradicted_ ? kEvidenceAgainstTicks : 1)) return false;
  std::vector<std::int64_t> sorted = evidence_;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle >= -kEvidenceBehindMs && *middle <= kEvidenceAheadMs;
}

ClockStep PartitionClock::OnTick(RealTime append, std::string_view instance, std::uint64_t session,
                                 std::int64_t steady_ms) {
  ClockStep step{now_, now_};
  if (!started_) {
    started_ = true;
    now_ = append;
    step = {append, append, true};
  }
  step.counted = ticked_;
  const auto it = anchors_.find(instance);
  const bool known = it != anchors_.end() && it->second.session == session &&
                     it->second.steady_ms >= 0 && steady_ms >= it->second.steady_ms;
  const bool may_contradict = known && !(held_ && it->second.during_hold);
  const RealTime expected =
      known ? it->second.at + Duration(steady_ms - it->second.steady_ms) : now_;
  const Duration off = append - expected;

  Anchor anchor{session, steady_ms, append, false};
  if (off > kTolerance && ticked_) {
    step.hidden = !held_ && !may_contradict;
    Hold(may_contradict);
    anchor.during_hold = !may_contradict;
    if (known) Advance(expected);
    anchor.at = known ? expected : now_;
  } else if (off < -kTolerance) {
    if (!behind_) ++steps_held_;
    behind_ = true;
    if (known) Advance(expected);
    anchor.at = known ? expected : now_;
  } else {
    // A session that came up after a step cannot say that the step is over.
    if (held_ && may_contradict) Release();
    anchor.during_hold = held_;
    behind_ = false;
    Advance(append);
  }
  if (it != anchors_.end()) {
    it->second = anchor;
  } else {
    anchors_.emplace(std::string(instance), anchor);
  }
  ticked_ = true;
  last_tick_ = now_;
  step.to = now_;
  return step;
}

ClockStep PartitionClock::OnRecord(RealTime append, std::optional<RealTime> events) {
  if (!started_) {
    started_ = true;
    now_ = append;
    return {append, append, true};
  }
  ClockStep step{now_, now_};
  step.counted = ticked_;
  if (!ticked_) {
    Advance(append);  // nobody has counted the time yet
  } else if (held_) {
    if (events) {
      if (evidence_.size() == kEvidenceMax) evidence_.erase(evidence_.begin());
      evidence_.push_back((*events - append).count());
    }
    if (append > now_ && Corroborated()) {
      Release();
      anchors_.clear();
      Advance(append);
      last_tick_ = now_;
      step.corroborated = true;
    }
  } else if (append <= last_tick_ + kTolerance) {
    Advance(append);
  }  // else: the next tick will tell
  step.to = now_;
  return step;
}

void PartitionClock::Forget(std::string_view instance) {
  if (const auto it = anchors_.find(instance); it != anchors_.end()) anchors_.erase(it);
}

void PartitionClock::Write(ByteWriter& out) const {
  out.Varint(anchors_.size());
  for (const auto& [name, anchor] : anchors_) {
    out.String(name);
    out.Fixed64(anchor.session);
    out.Signed(anchor.steady_ms);
    out.Signed(ToMs(anchor.at));
    out.Bool(anchor.during_hold);
  }
  out.Varint(evidence_.size());
  for (const std::int64_t e : evidence_) out.Signed(e);
  out.Signed(ToMs(now_));
  out.Signed(ToMs(last_tick_));
  out.Varint(steps_held_);
  for (const bool b : {started_, ticked_, held_, contradicted_, behind_}) out.Bool(b);
}

bool PartitionClock::Read(ByteReader& in) {
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    std::string name(in.String());
    Anchor anchor;
    anchor.session = in.Fixed64();
    anchor.steady_ms = in.Signed();
    anchor.at = RealFromMs(in.Milliseconds());
    anchor.during_hold = in.Bool();
    anchors_.emplace(std::move(name), anchor);
  }
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) evidence_.push_back(in.Milliseconds());
  now_ = RealFromMs(in.Milliseconds());
  last_tick_ = RealFromMs(in.Milliseconds());
  steps_held_ = in.Varint();
  for (bool* b : {&started_, &ticked_, &held_, &contradicted_, &behind_}) *b = in.Bool();
  return in.ok();
}

}  // namespace liveops::engine
