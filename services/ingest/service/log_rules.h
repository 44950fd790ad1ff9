#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/kafka/kafka.h"
#include "common/plan/log_count.h"

namespace liveops::ingest {

// What the newest plans name under `logs:`. Thread-safe.
class LogRules {
 public:
  using Counts = std::shared_ptr<const std::vector<plan::LogCount>>;  // nullptr: none

  // A record of plans.v1, in log order; what is none changes nothing. Of two records of one version
  // the first counts.
  void Read(const kafka::Record& record);
  Counts Of(std::string_view service) const;
  std::vector<std::string> Services() const;  // those whose plan names counts

 private:
  struct Service {
    std::uint64_t version = 0;
    Counts counts;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Service, std::less<>> services_;
};

}  // namespace liveops::ingest
