// "What is beyond is not watched, the alarms that there are go on unchanged, and one alarm of the
// condition's own, without labels, says so."
#include <algorithm>

#include "services/rule-evaluation/engine/oracle/oracle.h"

namespace liveops::engine::oracle {
namespace {

constexpr std::int64_t kTellEachMs = 60'000;

}  // namespace

// Is there a group of these labels, or room for one? Notes that it was refused, or is no more.
bool Oracle::HasRoom(Watch& watch, const Labels& labels) {
  const bool known = std::any_of(watch.groups.begin(), watch.groups.end(),
                                 [&](const auto& group) { return group->labels == labels; });
  if (known) return true;
  if (watch.groups.size() < groups_max_ || labels.empty()) {
    if (watch.overflow) watch.overflow->refused.erase(labels);
    return true;
  }
  if (!watch.overflow) watch.overflow.emplace();
  watch.overflow->refused[labels] = time_.now();
  return false;
}

void Oracle::TellOverflow(Watch& watch, const Word& word) {
  const std::size_t refused = watch.overflow->refused.size();
  GroupBook alarm;
  alarm.life = watch.overflow->life;
  Finding f;
  f.at = time_.now();
  f.value = static_cast<double>(watch.groups.size() + refused);
  Tell(watch, alarm, word, f);
  out_->back().transition.groups_refused = refused;
  out_->back().transition.threshold = static_cast<double>(watch.groups.size());
}

// "The number grows in the log, not oftener than each minute. It resolves when nothing is refused
// any more."
void Oracle::CheckOverflow(Watch& watch) {
  if (!watch.overflow) return;
  OverflowBook& book = *watch.overflow;
  AlarmLife& life = book.life;
  if (book.refused.empty()) {
    if (life.Leave()) TellOverflow(watch, {AlarmState::kResolved, "recovered", {}});
    watch.overflow.reset();
    return;
  }
  if (!life.open()) {
    Finding f;
    f.at = time_.now();
    f.value = static_cast<double>(watch.groups.size() + book.refused.size());
    life.Reach({}, f, time_.now());
  } else if (book.refused.size() != book.told && time_.now() - book.told_at >= kTellEachMs) {
    ++life.step;
  } else {
    return;
  }
  book.told = book.refused.size();
  book.told_at = time_.now();
  TellOverflow(watch, {AlarmState::kFiring, "overflow", {}});
}

void Oracle::EndOverflow(Watch& watch, const char* reason) {
  if (!watch.overflow) return;
  if (watch.overflow->life.open()) {
    ++watch.overflow->life.step;
    TellOverflow(watch, {AlarmState::kWithdrawn, reason, {}});
  }
  watch.overflow.reset();
}

}  // namespace liveops::engine::oracle
