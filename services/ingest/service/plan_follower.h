#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "common/kafka/kafka.h"
#include "services/ingest/service/log_rules.h"
#include "services/ingest/service/spread_book.h"

namespace liveops::ingest {

// Reads plans.v1 into the book and the rules for log lines, on a thread of its own, and tells it
// how far that is: each 5 s, and more often while the book is not fresh, it reads on to the end
// that there is by then.
class PlanFollower {
 public:
  PlanFollower(std::unique_ptr<kafka::AssignedConsumer> consumer, SpreadBook& book,
               LogRules& log_rules)
      : consumer_(std::move(consumer)), book_(book), log_rules_(log_rules) {}
  ~PlanFollower() { Stop(); }

  void Start();
  void Stop();  // idempotent

  // One round: a record, or a look at the end. The thread's, or of whoever does not start it.
  void Once(SteadyTime now);

 private:
  void Begin(SteadyTime now);
  bool stopping();

  const std::unique_ptr<kafka::AssignedConsumer> consumer_;
  SpreadBook& book_;
  LogRules& log_rules_;
  std::int64_t next_ = kafka::kOffsetBeginning;
  bool assigned_ = false;
  bool reads_on_ = false;  // the end that there was at begun_, or later, is not reached yet
  SteadyTime begun_{};

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace liveops::ingest
