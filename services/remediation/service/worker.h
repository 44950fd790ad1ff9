#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "common/base/time.h"

namespace liveops::remediation {

// Where work that blocks goes, one piece after the other.
class Jobs {
 public:
  virtual ~Jobs() = default;
  virtual void Post(std::function<void()> job) = 0;  // thread-safe, never blocks
};

// One thread that lasts as long as the object: the parent of every child process. Thread-safe.
class Worker : public Jobs {
 public:
  Worker();
  ~Worker() override;  // Drain and Join

  void Post(std::function<void()> job) override;
  // Takes no more jobs and drops those that did not begin. Waits up to `grace` for the one that
  // runs; true = it ended.
  bool Drain(Duration grace);
  void Join();  // after Drain; waits for the running job however long it takes

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace liveops::remediation
