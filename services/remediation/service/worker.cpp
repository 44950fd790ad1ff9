#include "services/remediation/service/worker.h"

namespace liveops::remediation {

Worker::Worker() : thread_([this] { Loop(); }) {}

Worker::~Worker() {
  Drain(Duration(0));
  Join();
}

void Worker::Post(std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

bool Worker::Drain(Duration grace) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  jobs_.clear();
  changed_.notify_all();
  return changed_.wait_for(lock, grace, [this] { return !busy_; });
}

void Worker::Join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::Loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    lock.unlock();
    job();
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace liveops::remediation
