#include "services/rule-evaluation/service/plan_library.h"

#include <algorithm>
#include <iterator>

#include "common/base/spread.h"
#include "common/plan/parse.h"
#include "common/plan/reads.h"

namespace liveops::evaluation {

Status PlanLibrary::Read(const kafka::Record& record) {
  // Decoded before the lock; a tombstone has nothing to read.
  Result<StoredPlan> plan = record.value.empty() ? Result<StoredPlan>(NotFoundError("a tombstone"))
                                                 : DecodePlanRecord(record.value);
  std::vector<engine::ServiceRead> reads;
  if (plan.ok()) {
    for (std::string& service : plan::ServicesRead(plan::Parse(plan->text).plan)) {
      reads.push_back({std::move(service), 1, {}});
    }
  }
  const std::lock_guard lock(mutex_);
  seen_ = std::max(seen_, record.offset);
  read_.notify_all();
  if (record.value.empty()) return {};
  if (!plan.ok()) return plan.error();
  plan->offset = record.offset;
  plan->reads = std::move(reads);
  if (plan->spread_from == RealTime{}) plan->spread_from = record.append_time + kSpreadLead;
  Versions& versions = plans_[plan->service];
  const std::uint64_t version = plan->version;
  if (versions.emplace(version, std::move(*plan)).second) ++revision_;
  return {};
}

RealTime PlanLibrary::SpreadSince(const Versions& versions, Versions::const_iterator which) {
  std::vector<SpreadStep> said;
  for (auto it = versions.begin(); it != std::next(which); ++it) {
    said.push_back({it->second.spread_from, it->second.spread});
  }
  const std::vector<SpreadStep> steps = SpreadSteps(said);
  return steps.empty() ? RealTime{} : steps.back().from;
}

StoredPlan PlanLibrary::Given(const Versions& versions, Versions::const_iterator which) const {
  StoredPlan plan = which->second;
  plan.spread_from = SpreadSince(versions, which);
  for (engine::ServiceRead& read : plan.reads) {
    const auto it = plans_.find(read.service);
    if (it == plans_.end() || it->second.empty()) continue;
    const auto newest = std::prev(it->second.end());
    read.spread = newest->second.spread;
    read.spread_from = SpreadSince(it->second, newest);
  }
  return plan;
}

std::optional<StoredPlan> PlanLibrary::Newest(const std::string& service) const {
  const std::lock_guard lock(mutex_);
  const auto it = plans_.find(service);
  if (it == plans_.end() || it->second.empty()) return std::nullopt;
  return Given(it->second, std::prev(it->second.end()));
}

std::optional<StoredPlan> PlanLibrary::Get(const std::string& service,
                                           std::uint64_t version) const {
  const std::lock_guard lock(mutex_);
  const auto it = plans_.find(service);
  if (it == plans_.end()) return std::nullopt;
  const auto found = it->second.find(version);
  if (found == it->second.end()) return std::nullopt;
  return Given(it->second, found);
}

std::vector<StoredPlan> PlanLibrary::NewestOfAll() const {
  const std::lock_guard lock(mutex_);
  std::vector<StoredPlan> out;
  for (const auto& [service, versions] : plans_) {
    if (!versions.empty()) out.push_back(Given(versions, std::prev(versions.end())));
  }
  return out;
}

std::uint64_t PlanLibrary::revision() const {
  const std::lock_guard lock(mutex_);
  return revision_;
}

bool PlanLibrary::complete() const {
  const std::lock_guard lock(mutex_);
  return complete_;
}

void PlanLibrary::SetComplete() {
  const std::lock_guard lock(mutex_);
  complete_ = true;
}

bool PlanLibrary::WaitFor(std::int64_t offset, Duration timeout) const {
  std::unique_lock lock(mutex_);
  return read_.wait_for(lock, timeout, [&] { return seen_ >= offset; });
}

bool MovedSince(const std::vector<engine::ServiceRead>& in_force,
                const std::vector<engine::ServiceRead>& newest) {
  if (in_force == newest) return false;
  return std::none_of(newest.begin(), newest.end(), [&](const engine::ServiceRead& read) {
    return std::any_of(in_force.begin(), in_force.end(), [&](const engine::ServiceRead& old) {
      return old.service == read.service && old.spread_from > read.spread_from;
    });
  });
}

}  // namespace liveops::evaluation
