#include <utility>

#include "services/rule-evaluation/service/alarm_table.h"

namespace liveops::evaluation {

void PendingAlarms::Set(std::string alarm, std::optional<std::string> status) {
  if (pending_.size() >= limit_ && !pending_.contains(alarm)) {
    overflow_ = true;
    return;
  }
  pending_.insert_or_assign(std::move(alarm), std::move(status));
}

void PendingAlarms::Put(std::string alarm, std::string status) {
  Set(std::move(alarm), std::move(status));
}

void PendingAlarms::Remove(std::string alarm) { Set(std::move(alarm), std::nullopt); }

std::vector<PendingAlarms::Entry> PendingAlarms::Take(std::size_t count) {
  std::vector<Entry> out;
  while (!pending_.empty() && out.size() < count) {
    auto node = pending_.extract(pending_.begin());
    out.emplace_back(std::move(node.key()), std::move(node.mapped()));
  }
  return out;
}

void PendingAlarms::GiveBack(std::vector<Entry> entries) {
  for (Entry& entry : entries) pending_.emplace(std::move(entry.first), std::move(entry.second));
}

bool PendingAlarms::TakeOverflow() { return std::exchange(overflow_, false); }

}  // namespace liveops::evaluation
