#include "services/ingest/service/refusals.h"

#include <algorithm>
#include <utility>

#include "common/base/hash.h"

namespace liveops::ingest {

RefusalLedger::RefusalLedger(std::int32_t partitions)
    : partitions_(static_cast<std::size_t>(partitions)) {}

void RefusalLedger::Add(Refusals& to, std::string_view service, std::uint64_t points) {
  if (to.all) return;
  to.points[std::string(service)] += points;
  if (to.points.size() > kNamesMax) to = {{}, true};
}

void RefusalLedger::Add(std::string_view service, std::uint64_t points, int spread) {
  if (points == 0) return;
  const std::lock_guard lock(mutex_);
  const std::size_t home =
      static_cast<std::size_t>(PartitionOf(service, static_cast<std::int32_t>(partitions_.size())));
  const std::size_t taken = std::min(static_cast<std::size_t>(spread), partitions_.size());
  for (std::size_t step = 0; step < taken; ++step) {
    Add(partitions_[(home + step) % partitions_.size()], service, points);
  }
}

Refusals RefusalLedger::Take(std::int32_t partition) {
  const std::lock_guard lock(mutex_);
  return std::exchange(partitions_[static_cast<std::size_t>(partition)], {});
}

void RefusalLedger::GiveBack(std::int32_t partition, const Refusals& told) {
  const std::lock_guard lock(mutex_);
  Refusals& kept = partitions_[static_cast<std::size_t>(partition)];
  if (told.all) kept = {{}, true};
  for (const auto& [service, points] : told.points) Add(kept, service, points);
}

}  // namespace liveops::ingest
