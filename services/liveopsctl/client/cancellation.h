#pragma once

#include <functional>
#include <mutex>
#include <utility>

namespace liveops::ctl {

// Lets one thread end what another one waits for. Thread-safe.
class Cancellation {
 public:
  void Cancel() {
    const std::lock_guard<std::mutex> lock(mutex_);
    cancelled_ = true;
    if (action_) action_();
  }
  bool cancelled() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return cancelled_;
  }
  // `action` runs at Cancel, or now when that was before; an empty one unbinds, and none runs once
  // this has returned.
  void Bind(std::function<void()> action) {
    const std::lock_guard<std::mutex> lock(mutex_);
    action_ = std::move(action);
    if (cancelled_ && action_) action_();
  }

 private:
  mutable std::mutex mutex_;
  bool cancelled_ = false;
  std::function<void()> action_;
};

}  // namespace liveops::ctl
