#include "services/rule-evaluation/service/replay_filter.h"

#include <algorithm>

namespace liveops::evaluation {

bool Later(const engine::Transition& a, const engine::Transition& b) {
  return std::tie(a.episode, a.step) > std::tie(b.episode, b.step);
}

ReplayFilter::ReplayFilter(const std::vector<engine::Transition>& logged) {
  for (const engine::Transition& t : logged) Add(t);
}

void ReplayFilter::Add(const engine::Transition& logged) {
  if (!logged_.emplace(KeyOf(logged), logged.state).second) return;
  ahead_.emplace(logged.source_offset, logged);
  const auto [it, fresh] = last_logged_.emplace(logged.alarm_id, logged);
  if (!fresh && Later(logged, it->second)) it->second = logged;
  last_offset_ = std::max(last_offset_, logged.source_offset);
}

ReplayFilter::Verdict ReplayFilter::Judge(const engine::Transition& emitted) {
  if (!active()) return Verdict::kWrite;
  const auto known = logged_.find(KeyOf(emitted));
  const auto word = last_logged_.find(emitted.alarm_id);
  const bool news = word == last_logged_.end() || Later(emitted, word->second);
  if (known == logged_.end() && emitted.source_offset >= last_offset_ && news) {
    // The earlier owner stopped between two writes of one record, or before this record. (Readers
    // would drop what is not later than the log's word on the alarm, and miss all that follows it.)
    written_.insert(emitted.alarm_id);
    return Verdict::kWrite;
  }
  last_emitted_.insert_or_assign(emitted.alarm_id, emitted);
  if (known != logged_.end() && known->second == emitted.state) {
    said_.insert(known->first);
    return Verdict::kKnown;
  }
  ++contradictions_;
  return Verdict::kContradicted;
}

void ReplayFilter::Pass(std::int64_t offset, std::vector<engine::Transition>& truths) {
  const auto end = ahead_.upper_bound(offset);
  for (auto it = ahead_.begin(); it != end; ++it) {
    const engine::Transition& word = it->second;
    if (said_.contains(KeyOf(word)) || written_.contains(word.alarm_id)) continue;
    truths.push_back(word);
    last_emitted_.insert_or_assign(word.alarm_id, word);  // the replay stands there now
  }
  ahead_.erase(ahead_.begin(), end);
}

std::vector<engine::Transition> ReplayFilter::Settle(std::int64_t offset, const LastWords& last) {
  std::vector<engine::Transition> truths;
  if (!active()) return truths;
  Pass(offset, truths);
  if (offset < last_offset_) return truths;
  for (const auto& [alarm, truth] : last_logged_) {
    if (written_.contains(alarm)) continue;
    const auto emitted = last_emitted_.find(alarm);
    if (emitted != last_emitted_.end() && KeyOf(emitted->second) == KeyOf(truth) &&
        emitted->second.state == truth.state) {
      continue;
    }
    truths.push_back(truth);
  }
  for (const auto& [alarm, emitted] : last_emitted_) {
    if (last_logged_.contains(alarm) || written_.contains(alarm)) continue;
    if (const engine::Transition* before = last.Find(alarm)) {
      truths.push_back(*before);  // said before the replayed records, and still true
      continue;
    }
    engine::Transition closed = emitted;
    closed.state = engine::AlarmState::kResolved;
    closed.reason = "not_in_log";
    truths.push_back(std::move(closed));
  }
  logged_.clear();
  ahead_.clear();
  said_.clear();
  last_logged_.clear();
  last_emitted_.clear();
  written_.clear();
  last_offset_ = -1;
  return truths;
}

}  // namespace liveops::evaluation
