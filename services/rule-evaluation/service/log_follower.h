#pragma once

#include <atomic>
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

// The process' assigning consumers. A thread of its own follows the library of plans, what people
// acknowledged, and the tails of the alarm logs of owned partitions: nobody waits for those, so
// that consumer may gather. Whoever must read a piece of log at once (a claim) borrows the other
// one, which fetches nothing in between. Thread-safe.
class LogFollower {
 public:
  using Handler = std::function<void(kafka::Record&&)>;  // on the follower's thread; must not block

  LogFollower(std::unique_ptr<kafka::AssignedConsumer> consumer,
              std::unique_ptr<kafka::AssignedConsumer> reader)
      : consumer_(std::move(consumer)), reader_(std::move(reader)) {}
  ~LogFollower();

  void Start();
  void Stop();

  // From `from` on, one handler a partition.
  void Follow(const std::string& topic, std::int32_t partition, std::int64_t from, Handler handler);
  void Unfollow(const std::string& topic, std::int32_t partition);

  // The reader for oneself, as long as this lives.
  class Borrowed {
   public:
    explicit Borrowed(LogFollower& follower) : follower_(follower), lock_(follower.reader_mutex_) {}
    ~Borrowed() { (void)follower_.reader_->Assign({}); }
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    kafka::AssignedConsumer& operator*() const { return *follower_.reader_; }
    kafka::AssignedConsumer* operator->() const { return follower_.reader_.get(); }

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

  std::unique_ptr<kafka::AssignedConsumer> consumer_;  // its thread's
  std::unique_ptr<kafka::AssignedConsumer> reader_;    // guarded by reader_mutex_
  std::mutex reader_mutex_;
  std::mutex followed_mutex_;
  std::map<std::pair<std::string, std::int32_t>, Followed> followed_;
  std::atomic<bool> dirty_{true};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace liveops::evaluation
