#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "common/base/result.h"
#include "common/base/time.h"
#include "deploy/local/stack/cluster.h"

namespace liveops::workload {

// Looks at the Deployment again and again on a thread of its own, since a real kubectl takes its
// time. Thread-safe.
class Watcher {
 public:
  Watcher(stack::Cluster cluster, std::string deployment, Duration pause);
  ~Watcher();

  // What was seen last; nothing before the first answer.
  std::optional<stack::DeploymentState> Seen() const;

 private:
  void Loop(Duration pause);

  stack::Cluster cluster_;
  std::string deployment_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;                       // guarded by mutex_
  std::optional<stack::DeploymentState> seen_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace liveops::workload
