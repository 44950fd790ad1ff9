#include "deploy/local/workload/watcher.h"

#include "common/telemetry/log.h"

namespace liveops::workload {

Watcher::Watcher(stack::Cluster cluster, std::string deployment, Duration pause)
    : cluster_(std::move(cluster)), deployment_(std::move(deployment)) {
  thread_ = std::thread([this, pause] { Loop(pause); });
}

Watcher::~Watcher() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::optional<stack::DeploymentState> Watcher::Seen() const {
  std::lock_guard lock(mutex_);
  return seen_;
}

void Watcher::Loop(Duration pause) {
  bool failed = false;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    Result<stack::DeploymentState> state = cluster_.Get(deployment_);
    lock.lock();
    if (state.ok()) {
      if (!seen_ || seen_->image != state->image) {
        log::Info("deployment_seen", {{"image", state->image}, {"revision", state->revision}});
      }
      seen_ = *state;
    } else if (!failed) {
      log::Warn("deployment_not_seen", {{"error", state.error().message}});
    }
    failed = !state.ok();
    wake_.wait_for(lock, pause, [this] { return stopping_; });
  }
}

}  // namespace liveops::workload
