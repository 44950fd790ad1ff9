#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "common/kafka/kafka.h"

namespace liveops::v1 {
class AlarmStatus;
}

namespace liveops::evaluation {

// Who took on which alarm, as operations.v1 was read so far: for answers to people only, never for
// a verdict. An alarm's acknowledgements stand in one partition, so the first of an episode in log
// order is the same one that the notifier goes by. Keeps the newest episode of each alarm.
// Thread-safe.
class AcknowledgementBook {
 public:
  // A record of operations.v1, in the order of its partition. kInvalid: it cannot be read, or is an
  // acknowledgement of nothing; the book is as before.
  Status Read(const kafka::Record& record);

  // Sets `acknowledged_by` when the open episode of `status` was taken on, and clears it otherwise.
  void Fill(v1::AlarmStatus& status) const;

 private:
  struct Entry {
    std::int64_t episode_ms = 0;
    std::string by;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Entry> newest_;  // by alarm id
};

}  // namespace liveops::evaluation
