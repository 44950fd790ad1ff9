#include "services/rule-evaluation/engine/presence.h"

namespace liveops::engine {

void Presence::OnTick(RealTime now, std::string_view instance, std::uint64_t session,
                      bool accepting, bool goodbye) {
  if (!ticked_ || instances_.empty())
    doubted_ = now;  // nobody could have brought a sample until now
  ticked_ = true;
  const auto it = instances_.find(instance);
  if (goodbye) {
    if (it != instances_.end() && it->second.session == session) instances_.erase(it);
    return;
  }
  if (it != instances_.end()) {
    it->second = {session, now, accepting};
  } else {
    instances_.emplace(std::string(instance), Instance{session, now, accepting});
  }
}

bool Presence::in_doubt(RealTime now) const {
  if (gap_open_ || instances_.empty()) return true;
  for (const auto& [name, instance] : instances_) {
    if (!instance.accepting || now - instance.last_tick > kLostAfter) return true;
  }
  return false;
}

std::vector<std::string> Presence::OnClock(RealTime now) {
  if (gap_open_ && now >= gap_until_) gap_open_ = false;
  std::vector<std::string> given_up;
  if (in_doubt(now)) doubted_ = now;
  for (auto it = instances_.begin(); it != instances_.end();) {
    if (now - it->second.last_tick > kDoubtLasts) {
      given_up.push_back(it->first);
      it = instances_.erase(it);
    } else {
      ++it;
    }
  }
  return given_up;
}

void Presence::OnGap(RealTime now, std::uint64_t awaited) {
  ++gap_;
  gap_open_ = true;
  gap_until_ = now + kDoubtLasts;
  awaited_ = awaited;
  doubted_ = now;
}

void Presence::OnSeriesBack() {
  if (awaited_ > 0 && --awaited_ == 0) gap_open_ = false;
}

void Presence::Write(ByteWriter& out) const {
  out.Varint(instances_.size());
  for (const auto& [name, instance] : instances_) {
    out.String(name);
    out.Fixed64(instance.session);
    out.Signed(ToMs(instance.last_tick));
    out.Bool(instance.accepting);
  }
  out.Signed(ToMs(doubted_));
  out.Signed(ToMs(gap_until_));
  out.Varint(gap_);
  out.Varint(awaited_);
  out.Bool(gap_open_);
  out.Bool(ticked_);
}

bool Presence::Read(ByteReader& in) {
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    std::string name(in.String());
    Instance instance;
    instance.session = in.Fixed64();
    instance.last_tick = RealFromMs(in.Milliseconds());
    instance.accepting = in.Bool();
    instances_.emplace(std::move(name), instance);
  }
  doubted_ = RealFromMs(in.Milliseconds());
  gap_until_ = RealFromMs(in.Milliseconds());
  gap_ = in.Varint();
  awaited_ = in.Varint();
  gap_open_ = in.Bool();
  ticked_ = in.Bool();
  return in.ok();
}

}  // namespace liveops::engine
