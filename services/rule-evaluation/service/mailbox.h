#pragma once

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/kafka/kafka.h"

namespace liveops::evaluation {

// The producer's answer to one attempt of an outbox item.
struct DeliveryNote {
  std::int32_t partition = 0;
  std::uint64_t ownership =
      0;  // of the ShardOwner: an earlier one's answers mean nothing to its successor
  enum class Of { kTransitions, kReadings, kRollups };
  Of of = Of::kTransitions;  // which outbox
  std::uint64_t id = 0;
  std::uint32_t attempt = 0;
  Result<kafka::Delivery> result = kafka::Delivery{};
};

// What other threads have for the evaluation loop: answers of the producer, and records of its own
// alarm logs read back. Thread-safe; putting in never waits for the loop.
class Mailbox {
 public:
  void Put(DeliveryNote note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(note));
  }
  void Put(kafka::Record record) {
    const std::lock_guard lock(mutex_);
    records_.push_back(std::move(record));
  }
  std::vector<DeliveryNote> TakeNotes() {
    const std::lock_guard lock(mutex_);
    return std::exchange(notes_, {});
  }
  std::vector<kafka::Record> TakeRecords() {
    const std::lock_guard lock(mutex_);
    return std::exchange(records_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<DeliveryNote> notes_;
  std::vector<kafka::Record> records_;
};

}  // namespace liveops::evaluation
