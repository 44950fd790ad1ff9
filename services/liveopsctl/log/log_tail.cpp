#include "services/liveopsctl/log/log_tail.h"

#include <fmt/format.h>

#include <vector>

#include "common/base/hash.h"
#include "common/runtime/time_map.h"
#include "common/runtime/topics.h"

namespace liveops::ctl {

Result<LogTail> LogTail::Open(KafkaPorts ports, const std::string& service, int spread,
                              Duration timeout) {
  if (spread > ports.partitions) {
    return InvalidError(fmt::format("{} is spread over {} partitions, {} has {}", service, spread,
                                    runtime::topic::kMetrics, ports.partitions));
  }
  LogTail tail(std::move(ports));
  kafka::AssignedConsumer& consumer = *tail.ports_.consumer;
  const Result<TimeMap> map = runtime::ReadTimeMap(consumer, timeout);
  if (!map.ok()) return map.error();
  tail.map_ = *map;
  const std::int32_t home = PartitionOf(service, tail.ports_.partitions);
  std::vector<kafka::PartitionOffset> ends;
  for (std::int32_t i = 0; i < spread; ++i) {
    const std::int32_t partition = (home + i) % tail.ports_.partitions;
    const auto marks = consumer.Watermarks(runtime::topic::kMetrics, partition, timeout);
    if (!marks.ok()) return marks.error();
    ends.push_back({runtime::topic::kMetrics, partition, marks->second});
  }
  if (Status s = consumer.Assign(ends); !s.ok()) return s.error();
  return tail;
}

Result<const engine::RecordView*> LogTail::Next(Duration wait) {
  auto record = ports_.consumer->Poll(wait);
  if (!record.ok()) return record.error();
  if (!*record) return nullptr;
  record_ = std::move(*record);
  const auto view = decoder_->Decode(record_->offset, record_->append_time, record_->value);
  return view.ok() ? *view : nullptr;  // what the shard does not read either
}

}  // namespace liveops::ctl
