#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "common/kafka/kafka.h"
#include "services/remediation/service/keeper.h"

namespace liveops::remediation {

// Reads remediations.v1 and alarms.v1 whole into the Keeper: first what is there, then what comes.
// One thread of its own.
class LogReader {
 public:
  // `keeper` must outlive it.
  static Result<std::unique_ptr<LogReader>> Start(const kafka::ClientConfig& config,
                                                  std::int32_t partitions, Keeper& keeper);
  ~LogReader();  // Stop
  void Stop();   // idempotent

  bool connected() const { return connected_; }

  // Ends of remediations.v1's partitions, asked of the broker by the reading thread at its next
  // turn; the last known ones when it does not answer in time. Thread-safe.
  std::map<std::int32_t, std::int64_t> Ends(Duration timeout);

 private:
  LogReader(std::unique_ptr<kafka::AssignedConsumer> consumer, std::int32_t partitions,
            Keeper& keeper);
  void Loop();
  bool FindEnds();  // where the logs end now; false when the broker did not say
  void Take(const kafka::Record& record);
  void ServeEnds();

  const std::unique_ptr<kafka::AssignedConsumer> consumer_;
  const std::int32_t partitions_;
  Keeper& keeper_;
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> behind_;  // not yet read up to here
  bool caught_up_ = false;
  std::atomic<bool> stop_{false};
  std::atomic<bool> connected_{false};

  std::mutex mutex_;
  std::condition_variable answered_;
  bool ends_wanted_ = false;
  std::map<std::int32_t, std::int64_t> ends_;

  std::thread thread_;
};

}  // namespace liveops::remediation
