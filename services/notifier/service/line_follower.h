#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "common/kafka/kafka.h"
#include "services/notifier/service/error_lines.h"
#include "services/notifier/service/exemplars.h"

namespace liveops::notifier {

// Reads what is appended to logs.v1 into ErrorLines and Exemplars, on a thread of its own that
// nothing waits for: while Kafka is away, or a storm goes on, pages have fewer of them.
class LineFollower {
 public:
  LineFollower(std::unique_ptr<kafka::AssignedConsumer> consumer, std::int32_t partitions,
               ErrorLines& lines, Exemplars& exemplars)
      : consumer_(std::move(consumer)),
        partitions_(partitions),
        lines_(lines),
        exemplars_(exemplars) {}
  ~LineFollower() { Stop(); }

  void Start();
  void Stop();  // idempotent

  // One round: a record, or none. The thread's, or of whoever does not start it.
  void Once(SteadyTime now);

 private:
  const std::unique_ptr<kafka::AssignedConsumer> consumer_;
  const std::int32_t partitions_;
  ErrorLines& lines_;
  Exemplars& exemplars_;
  ReadingPace pace_;
  bool assigned_ = false;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace liveops::notifier
