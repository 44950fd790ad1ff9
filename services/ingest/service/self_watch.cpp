#include "services/ingest/service/self_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/labels.h"
#include "services/ingest/admit/batch_builder.h"

namespace liveops::ingest {

struct SelfWatch::Batch {
  std::uint64_t sequence = 0;
  SteadyTime made{};
  RealTime time{};
  std::map<Key, double> totals;  // of its counters
  admit::BatchBuilder points{kService};
};

std::shared_ptr<SelfWatch::Batch> SelfWatch::Make(SteadyTime now) {
  const auto time = core_.clock().Now(now);
  if (!time) return nullptr;
  metrics::List list;
  core_.AddMetrics(list);
  auto batch = std::make_shared<Batch>();
  batch->sequence = ++sequence_;
  batch->made = now;
  batch->time = *time;
  const auto since = std::chrono::duration_cast<Duration>(now - reported_at_).count();
  const auto covered_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(1, since));
  for (const metrics::Metric& metric : list.all()) {
    if (metric.kind == metrics::Kind::kHistogram) continue;
    Labels labels(metric.labels);
    labels.Set("instance", core_.settings().instance);
    if (metric.kind == metrics::Kind::kGauge) {
      batch->points.Point(batch->points.Series(admit::SeriesKind::kGauge, metric.name, "", labels),
                          metric.value, 0);
      continue;
    }
    const Key key{metric.name, metric.labels};
    const auto before = reported_.find(key);
    const double told = before == reported_.end() ? 0 : before->second;
    batch->points.Point(
        batch->points.Series(admit::SeriesKind::kCounterDelta, metric.name, "", labels),
        std::max(0.0, metric.value - told), covered_ms);
    batch->totals[key] = metric.value;
  }
  return batch;
}

void SelfWatch::Report(SteadyTime now) {
  std::shared_ptr<Batch> batch;
  {
    const std::lock_guard lock(mutex_);
    if (awaited_) return;
    if (!pending_) pending_ = Make(now);
    if (!pending_) return;
    batch = pending_;
    awaited_ = true;
  }
  const std::string& instance = core_.settings().instance;
  const admit::BatchBuilder& points = batch->points;
  core_.Write({{instance, session_, batch->sequence}, points.Input(batch->time)}, points.bytes(),
              {instance, {rpc::Role::kEmitter}, {kService}}, "",
              [this, batch](const Result<WriteAnswer>& result) { Answered(*batch, result); });
}

void SelfWatch::Answered(const Batch& batch, const Result<WriteAnswer>& result) {
  const std::lock_guard lock(mutex_);
  awaited_ = false;
  if (!result && result.error().code == ErrorCode::kUnavailable) return;  // the same again
  reported_ = batch.totals;
  reported_at_ = batch.made;
  pending_.reset();
}

}  // namespace liveops::ingest
