#include "services/rule-evaluation/service/outbox.h"

#include <algorithm>
#include <utility>

namespace liveops::evaluation {

void Outbox::Push(std::string key, std::string value, std::string traceparent,
                  std::int32_t partition) {
  Entry& entry = items_.emplace_back();
  entry.item =
      Item{next_id_++, 0, std::move(key), std::move(value), std::move(traceparent), partition};
  if (!failing_) SendEntry(entry);
}

void Outbox::SendEntry(Entry& entry) {
  ++entry.item.attempt;
  entry.state = State::kOnItsWay;
  ++on_its_way_;
  send_(entry.item);
}

Outbox::Entry* Outbox::Find(std::uint64_t id) {
  if (items_.empty() || id < items_.front().item.id) return nullptr;
  const std::size_t index = id - items_.front().item.id;  // ids are consecutive
  return index < items_.size() ? &items_[index] : nullptr;
}

void Outbox::Acknowledged(std::uint64_t id, std::uint32_t attempt, std::int64_t offset) {
  Entry* entry = Find(id);
  if (entry == nullptr || entry->item.attempt != attempt || entry->state != State::kOnItsWay) {
    return;
  }
  --on_its_way_;
  entry->state = State::kAcknowledged;
  entry->offset = offset;
  DropConfirmed();
}

void Outbox::Failed(std::uint64_t id, std::uint32_t attempt) {
  Entry* entry = Find(id);
  if (entry == nullptr || entry->item.attempt != attempt || entry->state != State::kOnItsWay) {
    return;
  }
  --on_its_way_;
  entry->state = State::kWaiting;
  failing_ = true;
}

void Outbox::ReadBack(std::int64_t offset) {
  read_back_ = std::max(read_back_, offset);
  DropConfirmed();
}

void Outbox::DropConfirmed() {
  while (!items_.empty() && items_.front().state == State::kAcknowledged &&
         items_.front().offset <= read_back_) {
    items_.pop_front();
  }
}

bool Outbox::Retry() {
  if (!failing_ || on_its_way_ > 0) return false;
  failing_ = false;
  const auto first = std::find_if(items_.begin(), items_.end(),
                                  [](const Entry& e) { return e.state == State::kWaiting; });
  for (auto it = first; it != items_.end(); ++it) SendEntry(*it);
  return true;
}

void Outbox::SendAllAgain() {
  on_its_way_ = 0;
  failing_ = false;
  for (Entry& entry : items_) SendEntry(entry);
}

}  // namespace liveops::evaluation
