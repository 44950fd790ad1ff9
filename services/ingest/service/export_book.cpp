#include "services/ingest/service/export_book.h"

#include <utility>

namespace liveops::ingest {

ExportBook::Sent ExportBook::Begin(const Fingerprint& request, std::uint64_t records,
                                   SteadyTime now) {
  const std::lock_guard lock(mutex_);
  Forget(now);
  const auto [found, fresh] = entries_.try_emplace(request);
  Entry& entry = found->second;
  if (fresh) order_.emplace_back(now, request);
  if (entry.state != Sent::State::kNew) return {entry.state, 0, entry.rejections};
  if (entry.first == 0 || entry.records != records || next_ - entry.first > kReuseMax) {
    entry.first = std::exchange(next_, next_ + records);
    entry.records = records;
  }
  entry.state = Sent::State::kUnderWay;
  return {Sent::State::kNew, entry.first, {}};
}

void ExportBook::End(const Fingerprint& request, const Result<WriteAnswer>& result) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(request);
  if (found == entries_.end()) return;  // forgotten meanwhile
  found->second.state = result.ok() ? Sent::State::kTaken : Sent::State::kNew;
  if (result.ok()) found->second.rejections = result->rejections;
}

std::size_t ExportBook::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void ExportBook::Forget(SteadyTime now) {
  while (!order_.empty() && (order_.size() > kMax || now - order_.front().first > kKept)) {
    entries_.erase(order_.front().second);
    order_.pop_front();
  }
}

}  // namespace liveops::ingest
