#include "common/runtime/time_map.h"

#include <chrono>
#include <thread>

#include "common/runtime/topics.h"
#include "liveops/v1/operations.pb.h"

namespace liveops::runtime {

// The first DomainTime in the log counts. A topic that was made a moment ago may have no leader
// yet: asked again until `timeout`.
Result<std::optional<TimeMap>> FindTimeMap(kafka::AssignedConsumer& consumer, Duration timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    std::optional<v1::DomainTime> first;
    const Status read =
        ReadToEnd(consumer, topic::kControls, 0, kafka::kOffsetBeginning, timeout,
                  [&](const kafka::Record& record) {
                    v1::ControlRecord control;
                    if (first || record.key != kDomainTimeKey) return;
                    if (control.ParseFromString(record.value) && control.has_domain_time()) {
                      first = control.domain_time();
                    }
                  });
    if (read.ok()) {
      if (!first) return std::optional<TimeMap>();
      return std::optional(TimeMap{RealFromMs(first->real_origin_ms()),
                                   InstantFromMs(first->domain_origin_ms()), first->speed()});
    }
    if (read.error().code != ErrorCode::kUnavailable ||
        std::chrono::steady_clock::now() > deadline) {
      return read.error();
    }
    std::this_thread::sleep_for(Duration(20));
  }
}

Result<TimeMap> ReadTimeMap(kafka::AssignedConsumer& consumer, Duration timeout) {
  const auto found = FindTimeMap(consumer, timeout);
  if (!found.ok()) return found.error();
  if (!*found) {
    return NotFoundError(std::string(topic::kControls) +
                         " has no domain time: no service has started on this Kafka yet");
  }
  return **found;
}

}  // namespace liveops::runtime
