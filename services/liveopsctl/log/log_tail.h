#pragma once

#include <memory>
#include <optional>
#include <string>

#include "services/liveopsctl/log/partition_log.h"

namespace liveops::ctl {

// What is appended from now on to the partitions on which a service's series lie. Nothing is
// written. One thread at a time.
class LogTail {
 public:
  // `spread`: of the service's plan; 1 without one. kInvalid: more than the topic has partitions.
  static Result<LogTail> Open(KafkaPorts ports, const std::string& service, int spread,
                              Duration timeout);

  // The next record that can be read; nullptr when none came for `wait`. It holds until the next
  // call.
  Result<const engine::RecordView*> Next(Duration wait);

  const TimeMap& time_map() const { return map_; }

 private:
  explicit LogTail(KafkaPorts ports) : ports_(std::move(ports)) {}

  KafkaPorts ports_;
  TimeMap map_;
  std::optional<kafka::Record> record_;  // what the view points into
  std::unique_ptr<evaluation::Decoder> decoder_ = std::make_unique<evaluation::Decoder>();
};

}  // namespace liveops::ctl
