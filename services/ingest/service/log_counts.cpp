#include "services/ingest/service/log_counts.h"

#include <algorithm>
#include <chrono>

#include "common/base/labels.h"
#include "common/telemetry/log.h"

namespace liveops::ingest {
namespace {

constexpr Duration kEarly(100);  // a tick that comes a little early serves, too
constexpr Duration kCoveredMax(60'000);

std::uint64_t Sum(const std::array<std::uint64_t, kLogLevels.size()>& levels) {
  std::uint64_t sum = 0;
  for (const std::uint64_t lines : levels) sum += lines;
  return sum;
}

}  // namespace

void LogCounts::Tally::Add(const admit::LogLine& line, const std::vector<plan::LogCount>* counts) {
  ++levels[static_cast<std::size_t>(line.level)];
  if (line.query_ms > 0) ++slow_queries;
  if (counts == nullptr) return;
  for (const plan::LogCount& count : *counts) {
    if (plan::Counts(count, line.level, line.message)) ++named[count.name];
  }
}

void LogCounts::Tally::Add(const Tally& other) {
  for (std::size_t i = 0; i < levels.size(); ++i) levels[i] += other.levels[i];
  slow_queries += other.slow_queries;
  for (const auto& [name, lines] : other.named) named[name] += lines;
}

void LogCounts::Add(std::string_view service, const Tally& tally, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  auto found = services_.find(service);
  if (found == services_.end()) {
    if (services_.size() >= kServicesMax) {
      not_counted_ += Sum(tally.levels);
      return;
    }
    found = services_.emplace(service, Service()).first;
  }
  found->second.tally.Add(tally);
  found->second.heard = now;
}

std::uint64_t LogCounts::not_counted() const {
  const std::lock_guard lock(mutex_);
  return not_counted_;
}

// Those whose plans name counts are there without a line; what was silent for long leaves.
void LogCounts::Wake(SteadyTime now) {
  for (const std::string& name : rules_.Services()) {
    if (services_.contains(name) || services_.size() < kServicesMax) services_[name].heard = now;
  }
  std::erase_if(services_, [&](const auto& entry) {
    const Service& service = entry.second;
    return now - service.heard > kIdle && !service.pending;
  });
}

LogCounts::Pending LogCounts::Take(const std::string& name, Service& service, std::int64_t now_ms) {
  Pending out;
  out.sequence = ++sequence_;
  const std::int64_t time_ms = std::max(now_ms, service.told_ms + 1);
  out.time = RealFromMs(time_ms);
  std::int64_t covered = kPeriod.count();
  if (service.told_ms != 0)
    covered = std::clamp<std::int64_t>(time_ms - service.told_ms, 1, kCoveredMax.count());
  service.told_ms = time_ms;
  const auto points = std::make_shared<admit::BatchBuilder>(name);
  out.points = points;
  const std::string& instance = core_.settings().instance;
  const auto add = [&](std::string_view metric, const Labels& labels, std::uint64_t lines) {
    points->Point(points->Series(admit::SeriesKind::kCounterDelta, metric, "", labels),
                  static_cast<double>(lines), static_cast<std::uint64_t>(covered));
  };
  for (const LogLevel level : kLogLevels) {
    add(plan::kLogEvents, Labels({{"level", LogLevelName(level)}, {"ingest", instance}}),
        service.tally.levels[static_cast<std::size_t>(level)]);
  }
  const Labels own({{"ingest", instance}});
  add(plan::kLogSlowQueries, own, service.tally.slow_queries);
  // Those of the plan as it is now, and what was counted by an earlier one.
  if (const LogRules::Counts counts = rules_.Of(name)) {
    for (const plan::LogCount& count : *counts) service.tally.named.try_emplace(count.name, 0);
  }
  for (const auto& [metric, lines] : service.tally.named) add(metric, own, lines);
  service.tally = {};
  return out;
}

void LogCounts::Flush(SteadyTime now, bool last) {
  const auto clock = core_.clock().Now(now);
  if (!clock) return;
  std::vector<std::pair<std::string, Pending>> due;
  {
    const std::lock_guard lock(mutex_);
    if (!last && now - flushed_ < kPeriod - kEarly) return;
    flushed_ = now;
    Wake(now);
    for (auto& [name, service] : services_) {
      if (!service.pending) {
        service.pending = Take(name, service, ToMs(*clock));
      } else if (service.pending->under_way) {
        continue;
      }
      service.pending->under_way = true;
      due.emplace_back(name, *service.pending);
    }
  }
  for (const auto& [name, pending] : due) Send(name, pending, now);
}

void LogCounts::Send(const std::string& name, const Pending& pending, SteadyTime now) {
  const std::string emitter = LogEmitterOf(core_);
  core_.WriteOwn(
      {{emitter, core_.settings().session, pending.sequence}, pending.points->Input(pending.time)},
      now, [this, name, sequence = pending.sequence](const Result<WriteAnswer>& result) {
        Landed(name, sequence, result);
      });
}

void LogCounts::Landed(const std::string& name, std::uint64_t sequence,
                       const Result<WriteAnswer>& result) {
  if (!result.ok() && result.error().code == ErrorCode::kInvalid) {
    log::Warn("log_counts_refused", {{"service", name}, {"error", result.error().message}});
  }
  const std::lock_guard lock(mutex_);
  const auto found = services_.find(name);
  if (found == services_.end() || !found->second.pending ||
      found->second.pending->sequence != sequence) {
    return;
  }
  // What cannot be taken now is sent again; what never can be is over.
  if (result.ok() || result.error().code == ErrorCode::kInvalid) {
    found->second.pending.reset();
  } else {
    found->second.pending->under_way = false;
  }
}

}  // namespace liveops::ingest
