#include "common/client/batch_queue.h"

#include <algorithm>
#include <utility>

namespace liveops::client {

bool BatchQueue::Add(const Point& point) {
  open_.points.push_back(point);
  if (open_.points.size() < limits_.batch_points) return false;
  Close();
  return true;
}

void BatchQueue::Close() {
  if (open_.points.empty()) return;
  open_.sequence = ++sequence_;
  waiting_points_ += open_.points.size();
  batches_.push_back(std::exchange(open_, {}));
  MakeRoom();
}

void BatchQueue::Drop(std::size_t index) {
  const auto at = batches_.begin() + static_cast<std::ptrdiff_t>(index);
  waiting_points_ -= at->points.size();
  batches_.erase(at);
  if (index < sent_) --sent_;
}

void BatchQueue::MakeRoom() {
  // What is on its way may stand in the log: it waits for its answer. The newest stays in any case.
  while (waiting_points_ > limits_.waiting_points && sent_ + 1 < batches_.size()) {
    given_up_ += batches_[sent_].points.size();
    Drop(sent_);
  }
}

const Batch* BatchQueue::Next() {
  if (sent_ == batches_.size()) return nullptr;
  const bool careful = batches_.front().sequence <= careful_until_;
  if (sent_ >= (careful ? 1 : limits_.in_flight)) return nullptr;
  return &batches_[sent_++];
}

void BatchQueue::Answered(std::uint64_t sequence) {
  const auto sent_end = batches_.begin() + static_cast<std::ptrdiff_t>(sent_);
  const auto found = std::find_if(batches_.begin(), sent_end,
                                  [&](const Batch& batch) { return batch.sequence == sequence; });
  if (found == sent_end) return;
  Drop(static_cast<std::size_t>(found - batches_.begin()));
}

void BatchQueue::Restart() {
  sent_ = 0;
  MakeRoom();
}

std::size_t BatchQueue::Refused() {
  if (sent_ == 0) return 0;
  if (sent_ > 1) {
    careful_until_ = batches_[sent_ - 1].sequence;
    return 0;
  }
  const std::size_t points = batches_.front().points.size();
  Drop(0);
  return points;
}

}  // namespace liveops::client
