#include "services/ingest/service/exemplars.h"

#include <algorithm>
#include <cmath>

#include "common/base/hash.h"
#include "common/base/labels.h"
#include "common/base/text.h"
#include "common/runtime/topics.h"
#include "liveops/v1/logs.pb.h"

namespace liveops::ingest {
namespace {

constexpr Duration kEarly{100};  // a tick that comes a little early serves, too
constexpr std::size_t kTraceIdBytes = 16;
constexpr std::size_t kSpanIdBytes = 8;
constexpr std::size_t kLabelsMax = 32;
constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kTextBytesMax = 1024;

std::string Clean(const std::string& text, std::size_t bytes_max) {
  return ScrubUtf8(Truncate(text, bytes_max));
}

void Fill(const Exemplar& from, const TimeMap& map, v1::Exemplar& out) {
  out.set_time_ms(ToMs(map.ToDomain(RealFromMs(from.time_ms))));
  out.set_metric(Clean(from.metric, kTextBytesMax));
  out.set_unit(Clean(from.unit, kNameBytesMax));
  out.set_value(from.value);
  out.set_trace_id(from.trace_id);
  if (from.span_id.size() == kSpanIdBytes) out.set_span_id(from.span_id);
  const auto labels = Labels::Decode(from.labels);
  if (!labels) return;
  for (const auto& [name, value] : *labels) {
    if (static_cast<std::size_t>(out.labels_size()) == kLabelsMax) return;
    v1::LogAttribute& label = *out.add_labels();
    label.set_name(Clean(name, kNameBytesMax));
    label.set_value(Clean(value, kTextBytesMax));
  }
}

}  // namespace

void Exemplars::Offer(Exemplar exemplar, SteadyTime now) {
  if (exemplar.trace_id.size() != kTraceIdBytes || !std::isfinite(exemplar.value)) return;
  const std::lock_guard lock(mutex_);
  if (now - minute_ >= kMinute) {
    // What waits to be written is written in the new one.
    std::erase_if(series_, [](const auto& entry) { return !entry.second.next; });
    for (auto& [key, series] : series_) series.told = Series().told;
    minute_ = now;
  }
  Key key{exemplar.service, exemplar.metric + '\0' + exemplar.labels};
  auto found = series_.find(key);
  if (found == series_.end()) {
    if (series_.size() >= kSeriesMax) return;
    found = series_.emplace(std::move(key), Series()).first;
  }
  Series& series = found->second;
  if (exemplar.value <= series.told.back()) return;
  if (series.next && exemplar.value <= series.next->value) return;
  series.next = std::move(exemplar);
}

void Exemplars::Flush(SteadyTime now, const Target& target) {
  std::map<std::string, v1::LogBatch> batches;
  {
    const std::lock_guard lock(mutex_);
    if (now - flushed_ < kPeriod - kEarly) return;
    flushed_ = now;
    std::map<std::string, std::size_t> bytes;
    for (auto& [key, series] : series_) {
      if (!series.next) continue;
      const Exemplar next = *std::exchange(series.next, std::nullopt);
      v1::Exemplar filled;
      Fill(next, target.map, filled);
      std::size_t& so_far = bytes[next.service];
      so_far += filled.ByteSizeLong() + 8;
      if (so_far > kRecordBytesMax) continue;
      series.told.back() = next.value;
      std::sort(series.told.begin(), series.told.end(), std::greater<>());
      *batches[next.service].add_exemplars() = std::move(filled);
    }
    for (auto& [service, batch] : batches) batch.mutable_source()->set_sequence(++sequence_);
  }
  for (auto& [service, batch] : batches) {
    batch.set_service(service);
    batch.mutable_source()->set_emitter(target.instance + "/exemplars");
    batch.mutable_source()->set_session(target.session);
    const auto count = static_cast<std::uint64_t>(batch.exemplars_size());
    target.producer.Produce(runtime::topic::kLogs, PartitionOf(service, target.partitions), service,
                            batch.SerializeAsString(), {},
                            [this, count](const Result<kafka::Delivery>& result) {
                              if (result.ok()) written_ += count;
                            });
  }
}

void Exemplars::AddMetrics(metrics::List& list) const {
  list.Counter("ingest_exemplars_total", "Exemplars that stand in logs.v1.",
               static_cast<double>(written_), "exemplars");
}

}  // namespace liveops::ingest
