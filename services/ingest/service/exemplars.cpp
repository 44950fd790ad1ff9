#include "services/ingest/service/exemplars.h"

#include <algorithm>
#include <cmath>

#include "common/base/hash.h"
#include "common/base/labels.h"
#include "common/base/text.h"
#include "common/runtime/topics.h"

namespace liveops::ingest {
namespace {

constexpr Duration kEarly{100};  // a tick that comes a little early serves, too
constexpr std::size_t kTraceIdBytes = 16;
constexpr std::size_t kSpanIdBytes = 8;
constexpr std::size_t kLabelsMax = 32;
constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kTextBytesMax = 1024;
const std::string kBehindAll = "\xff";  // of metrics and labels: they are UTF-8

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
    first_written_.clear();
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
  if (exemplar.value > series.told.front()) first_.insert(exemplar.service);
  series.next = std::move(exemplar);
}

void Exemplars::Take(std::map<Key, Series>::iterator from, const TimeMap& map, Batches& out) {
  const std::string service = from->first.first;
  std::size_t bytes = 0;
  for (; from != series_.end() && from->first.first == service; ++from) {
    Series& series = from->second;
    if (!series.next) continue;
    const Exemplar next = *std::exchange(series.next, std::nullopt);
    v1::Exemplar filled;
    Fill(next, map, filled);
    bytes += filled.ByteSizeLong() + 8;
    if (bytes > kRecordBytesMax) continue;
    series.told.back() = next.value;
    std::sort(series.told.begin(), series.told.end(), std::greater<>());
    *out[service].add_exemplars() = std::move(filled);
  }
  const auto filled = out.find(service);
  if (filled != out.end()) filled->second.mutable_source()->set_sequence(++sequence_);
}

void Exemplars::Flush(SteadyTime now, const TimeMap& map) {
  Batches batches;
  {
    const std::lock_guard lock(mutex_);
    if (now - flushed_ < kPeriod - kEarly) return;
    flushed_ = now;
    first_.clear();
    for (auto at = series_.begin(); at != series_.end();
         at = series_.upper_bound({at->first.first, kBehindAll}))
      Take(at, map, batches);
  }
  Write(std::move(batches));
}

void Exemplars::FlushFirst(SteadyTime now, const TimeMap& map) {
  Batches batches;
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& service : std::exchange(first_, {})) {
      const auto [written, never] = first_written_.emplace(service, now);
      if (!never && now - written->second < kBetween) continue;  // a second is soon over
      written->second = now;
      Take(series_.lower_bound({service, ""}), map, batches);
    }
  }
  Write(std::move(batches));
}

void Exemplars::Write(Batches batches) {
  if (target_.producer == nullptr) return;
  for (auto& [service, batch] : batches) {
    batch.set_service(service);
    batch.mutable_source()->set_emitter(target_.instance + "/exemplars");
    batch.mutable_source()->set_session(target_.session);
    const auto count = static_cast<std::uint64_t>(batch.exemplars_size());
    target_.producer->Produce(runtime::topic::kLogs, PartitionOf(service, target_.partitions),
                              service, batch.SerializeAsString(), {},
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
