#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/base/time.h"
#include "services/rule-evaluation/engine/shard.h"
#include "services/rule-evaluation/service/alarm_table.h"
#include "services/rule-evaluation/service/shard_owner.h"

namespace liveops::evaluation {

// What the loop shows to the Status service. Thread-safe.
class StatusBoard {
 public:
  struct Partition {
    std::int32_t partition = 0;
    std::int64_t epoch = -1;
    std::int64_t position = 0;  // next offset to read
    std::int64_t end = -1;      // of the log, as the last fetch told it; -1 = not known
    Instant clock{};
    bool live = false;
    engine::ShardCounters counters{};
  };
  struct View {
    bool joined = false;  // an assignment was taken, or none came for a while
    bool failed = false;  // the loop gave up
    std::string detail;   // of the failure
    std::vector<Partition> partitions;
    OwnerCounters owners;  // of this process, also those that are gone
    AlarmTable::Counters table;
    std::uint64_t unconfirmed = 0;  // records written and not acknowledged yet

    bool ready() const;
    std::string Detail() const;
  };

  void Set(View view) {
    const std::lock_guard lock(mutex_);
    view_ = std::move(view);
  }
  View Get() const {
    const std::lock_guard lock(mutex_);
    return view_;
  }

 private:
  mutable std::mutex mutex_;
  View view_;
};

}  // namespace liveops::evaluation
