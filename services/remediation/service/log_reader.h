#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>

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

  // Ends of remediations.v1's partitions, as the last fetch told them. Thread-safe.
  std::map<std::int32_t, std::int64_t> Ends() const;

 private:
  LogReader(std::unique_ptr<kafka::AssignedConsumer> consumer, std::int32_t partitions,
            std::function<void(const Error&)> lost, Keeper& keeper);
  void Loop();
  void Take(const kafka::Record& record);
  bool Behind();  // not everything was read that stood in the logs when they were assigned

  const std::unique_ptr<kafka::AssignedConsumer> consumer_;
  const std::int32_t partitions_;
  const std::function<void(const Error&)>
      lost_;  // told when records vanished before they were read
  Keeper& keeper_;
  std::set<std::pair<std::string, std::int32_t>> behind_;  // their end was not reached yet
  bool caught_up_ = false;
  std::atomic<bool> stop_{false};
  std::atomic<bool> connected_{false};

  std::thread thread_;
};

}  // namespace liveops::remediation
