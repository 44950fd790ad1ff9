#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "common/kafka/kafka.h"

namespace liveops::evaluation {

// The process' one assigning consumer. A thread of its own follows the library of plans, what
// people acknowledged, and the tails of the alarm logs of owned partitions; whoever must read a
// piece of log in between (a claim) borrows the consumer, and following goes on afterwards where it
// was. Thread-safe.
class LogFollower {
 public:
  using Handler = std::function<void(kafka::Record&&)>;  // on the follower's thread; must not block

  explicit LogFollower(std::unique_ptr<kafka::AssignedConsumer> consumer)
      : consumer_(std::move(consumer)) {}
  ~LogFollower();

  void Start();
  void Stop();

  // From `from` on, one handler a partition. Also while the consumer is borrowed.
  void Follow(const std::string& topic, std::int32_t partition, std::int64_t from, Handler handler);
  void Unfollow(const std::string& topic, std::int32_t partition);

  // The consumer for oneself, as long as this lives. Waits for the thread to pause (at most its
  // poll time, 100 ms).
  class Borrowed {
   public:
    explicit Borrowed(LogFollower& follower);
    ~Borrowed();
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    kafka::AssignedConsumer& operator*() const { return *follower_.consumer_; }
    kafka::AssignedConsumer* operator->() const { return follower_.consumer_.get(); }

   private:
    LogFollower& follower_;
    std::unique_lock<std::mutex> lock_;
  };
  bool connected() const { return consumer_->connected(); }

 private:
  struct Followed {
    std::int64_t next = 0;
    Handler handler;
  };

  void Run();
  void Reassign();
  void SkipVanished();
  void Dispatch(kafka::Record&& record);

  std::unique_ptr<kafka::AssignedConsumer> consumer_;
  std::mutex consumer_mutex_;
  std::atomic<int> waiting_{0};
  std::mutex followed_mutex_;
  std::map<std::pair<std::string, std::int32_t>, Followed> followed_;
  std::atomic<bool> dirty_{true};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace liveops::evaluation
