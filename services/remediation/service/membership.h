#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "common/kafka/kafka.h"
#include "services/remediation/service/keeper.h"

namespace liveops::remediation {

// Membership in the group `liveops-remediation` on remediations.v1: it gives each target's
// partition one owner. Nothing is fetched by way of the group (LogReader reads every partition
// anyway); it claims, and releases in order. One thread of its own.
class Membership {
 public:
  // `keeper` and `producer` must outlive it.
  static Result<std::unique_ptr<Membership>> Start(const kafka::ClientConfig& config,
                                                   const std::string& instance,
                                                   kafka::Producer& producer, Keeper& keeper);
  ~Membership();  // Stop
  void Stop();    // releases what is owned and leaves; idempotent

  bool joined() const { return joined_; }

 private:
  Membership(kafka::Producer& producer, Keeper& keeper) : producer_(producer), keeper_(keeper) {}
  void Loop();
  void Assigned(const std::vector<std::int32_t>& partitions);
  void Revoked(const std::vector<std::int32_t>& partitions);
  void ClaimOne(std::int32_t partition);

  kafka::Producer& producer_;
  Keeper& keeper_;
  std::unique_ptr<kafka::GroupConsumer> group_;
  std::set<std::int32_t> unclaimed_;  // ours by the group, the claim did not get through yet
  std::atomic<bool> stop_{false};
  std::atomic<bool> joined_{false};
  std::thread thread_;
};

}  // namespace liveops::remediation
