#include "services/liveopsctl/interrupt.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <ctime>
#include <mutex>
#include <thread>
#include <utility>

namespace liveops::ctl {
namespace {

class SignalInterrupt : public Interrupt {
 public:
  SignalInterrupt() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::thread([this] { Wait(); });
  }
  ~SignalInterrupt() override {
    done_ = true;
    thread_.join();
  }

  bool WaitFor(Duration timeout) override {
    std::unique_lock<std::mutex> lock(mutex_);
    return wake_.wait_for(lock, timeout, [this] { return interrupted_; });
  }
  void Bind(std::function<void()> action) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    action_ = std::move(action);
    if (interrupted_ && action_) action_();
  }

 private:
  void Wait() {
    const timespec tick{0, 200'000'000};  // how soon the destructor is heard
    while (!done_) {
      if (sigtimedwait(&signals_, nullptr, &tick) < 0) continue;
      const std::lock_guard<std::mutex> lock(mutex_);
      interrupted_ = true;
      if (action_) std::exchange(action_, {})();
      wake_.notify_all();
      return;
    }
  }

  sigset_t signals_{};
  std::atomic<bool> done_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool interrupted_ = false;
  std::function<void()> action_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Interrupt> WatchSignals() { return std::make_unique<SignalInterrupt>(); }

}  // namespace liveops::ctl
