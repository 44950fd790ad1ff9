#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/http/http.h"
#include "common/kafka/kafka.h"
#include "common/runtime/process.h"
#include "services/notifier/service/core.h"
#include "services/notifier/service/dedup_table.h"
#include "services/notifier/service/line_follower.h"

namespace liveops::notifier {

struct Acknowledgement {
  std::string alarm_id;
  Instant episode{};
  std::string by;        // who has it
  bool already = false;  // somebody had it before
};

struct PartitionView {
  std::int32_t partition = 0;
  std::int64_t epoch = -1;  // -1: not owned
  std::int64_t position = 0;
  std::int64_t end = 0;  // of the log, as the last fetch told it
};

struct StatusView {
  bool caught_up = false;
  bool kafka_connected = false;
  bool redis_connected = false;
  std::int64_t clock_ms = 0;
  std::size_t groups = 0;
  std::size_t waiting = 0;
  Counters counters;
  metrics::Distribution page_latency;
  std::vector<PartitionView> partitions;
};

// The loops around the core: three consumers, each on a thread of its own, one timer, and the
// threads of producer, HTTP sender and dedup table, all feeding one core behind one lock. Each
// wakes at once; nothing under the lock blocks.
class NotifierService {
 public:
  NotifierService(const runtime::CommonConfig& config, Settings settings, TimeMap time_map);
  ~NotifierService();  // Stop()
  NotifierService(const NotifierService&) = delete;
  NotifierService& operator=(const NotifierService&) = delete;

  Status Start();
  // Waits for what is under way, records it, and lets the partitions go in order.
  void Stop();

  // --- thread-safe, for the RPC handlers ---
  bool caught_up() const;
  // Caught up, and the group has given this process its partitions (or, 5 s after the start, none:
  // a stand-by).
  bool ready() const;
  Result<Acknowledgement> Acknowledge(const std::string& alarm_id, const std::string& by);
  Result<std::vector<v1::DeliveryState>> Deliveries(const std::string& alarm_id);
  StatusView GetStatus();

 private:
  // A part of what is desired: some topics, read whole by a consumer of its own, so that nothing
  // else delays the records that pages wait for.
  struct Part {
    std::vector<const char*> topics;
    std::unique_ptr<kafka::AssignedConsumer> consumer;
    std::set<std::pair<std::string, std::int32_t>> behind;  // their end was not reached yet
  };

  void Follow(Part& part);
  Status Assign(Part& part);
  void FollowNotifications();
  void KeepTime();
  void OnDesiredRecord(const kafka::Record& record);
  void PartCaughtUp();

  std::vector<kafka::PartitionOffset> OnAssigned(const std::vector<std::int32_t>& partitions);
  void OnRevoked(const std::vector<std::int32_t>& partitions);
  // Claims and restores; those that turn out to belong to another are left out.
  std::map<std::int32_t, std::int64_t> TakeOver(const std::vector<std::int32_t>& partitions);
  Result<std::int64_t> Claim(std::int32_t partition);
  Result<std::map<std::int32_t, Ledger>> ReadLedgers(
      const std::map<std::int32_t, std::int64_t>& epochs);
  void ReclaimPending();

  // Runs `event` on the core and carries its effects out.
  template <typename Event>
  void WithCore(Event event);
  void CarryOut(Effects effects, std::vector<LogLine>& lines);  // under the lock
  void Produce(const WriteRecord& record);
  void SendOut(SendRequest send);
  void RetryFailedWrites();

  const runtime::CommonConfig config_;
  const std::int32_t partition_count_;
  const TimeMap time_map_;
  runtime::Writer writer_;

  mutable std::mutex mutex_;
  std::condition_variable timer_;           // the core's next wake-up may be earlier
  std::condition_variable changed_;         // for those who wait for the core's state
  Core core_;                               // guarded by mutex_
  std::set<std::int32_t> reclaims_;         // guarded by mutex_
  std::optional<SteadyTime> planned_wake_;  // guarded by mutex_
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> positions_;  // guarded by mutex_

  struct FailedWrite {
    std::string destination;
    std::string group;
    bool attempt = false;
  };
  std::mutex failures_mutex_;
  std::vector<FailedWrite> failures_;  // guarded by failures_mutex_

  std::atomic<bool> stop_{false};
  std::atomic<bool> joined_{false};
  SteadyTime started_{};
  std::atomic<bool> stop_time_{false};
  std::unique_ptr<kafka::Producer> producer_;
  Part alarms_{{runtime::topic::kAlarms}, nullptr, {}};  // its thread's
  Part others_{{runtime::topic::kOperations, runtime::topic::kRemediations}, nullptr, {}};
  std::atomic<int> parts_behind_{2};
  std::unique_ptr<kafka::GroupConsumer> group_;
  ErrorLines error_lines_;
  Exemplars exemplars_;
  std::unique_ptr<LineFollower> line_follower_;
  std::unique_ptr<DedupTable> dedup_;
  std::unique_ptr<http::Sender> sender_;
  std::thread alarms_thread_;
  std::thread others_thread_;
  std::thread group_thread_;
  std::thread timer_thread_;
};

}  // namespace liveops::notifier
