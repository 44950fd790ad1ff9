#include "services/rule-evaluation/engine/oracle/oracle_time.h"

#include <algorithm>

namespace liveops::engine::oracle {
namespace {

constexpr std::int64_t kToleranceMs = 2000;  // between ticks, and between a tick and a record
constexpr std::int64_t kDoubtLastsMs = 120'000;

}  // namespace

Time::Stall Time::Advance(const RecordView& record) {
  const std::int64_t append = ToMs(record.append_time);
  const bool tick = std::holds_alternative<TickView>(record.body);
  Stall stall;
  // Without a tick nobody says that so much time has passed.
  if (tick || !ticked_ || append <= last_tick_ + kToleranceMs) {
    if (ticked_ && append - now_ > kToleranceMs) stall = {now_, append};
    now_ = std::max(now_, append);
  }
  if (tick) last_tick_ = now_;
  if (!stall) Doubt();
  return stall;
}

void Time::Doubt() {
  bool doubt = instances_.empty();
  for (auto it = instances_.begin(); it != instances_.end();) {
    const std::int64_t missed = now_ - it->second.last;
    doubt = doubt || missed > kToleranceMs || !it->second.accepting;
    it = missed > kDoubtLastsMs ? instances_.erase(it) : std::next(it);
  }
  if (now_ >= awaited_until_) waits_ = false;
  if (doubt || waits_) doubted_ = now_;
}

void Time::OnTick(const TickView& tick) {
  if (instances_.empty()) doubted_ = now_;  // nobody could have brought a point until now
  ticked_ = true;
  const auto it = instances_.find(std::string(tick.instance));
  if (!tick.goodbye) {
    instances_[std::string(tick.instance)] = {tick.session, now_, tick.accepting};
  } else if (it != instances_.end() && it->second.session == tick.session) {
    instances_.erase(it);
  }
}

void Time::Await(std::set<std::size_t> series) {
  awaited_ = std::move(series);
  awaited_until_ = now_ + kDoubtLastsMs;
  waits_ = true;
  Doubt();
}

void Time::OnSeries(std::size_t series) {
  if (awaited_.erase(series) > 0 && awaited_.empty()) waits_ = false;
}

}  // namespace liveops::engine::oracle
