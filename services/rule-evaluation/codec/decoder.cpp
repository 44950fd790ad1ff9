#include "services/rule-evaluation/codec/decoder.h"

#include <google/protobuf/arena.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "liveops/v1/metrics.pb.h"

namespace liveops::evaluation {
namespace {

// Far beyond any real time (the year 33658), and small enough that sums of two never overflow.
constexpr std::int64_t kTimeMax = 1'000'000'000'000'000;

bool Sane(std::int64_t ms) { return ms >= -kTimeMax && ms <= kTimeMax; }
bool Sane(std::uint64_t ms) { return ms <= static_cast<std::uint64_t>(kTimeMax); }

template <typename Column>
auto SpanOf(const Column& column) {
  return std::span(column.data(), static_cast<std::size_t>(column.size()));
}

Error Malformed(std::string what) { return InvalidError("malformed metric batch: " + what); }

}  // namespace

struct Decoder::Impl {
  // Most records fit into the first block, which survives Reset.
  static constexpr std::size_t kBlockBytes = 64 << 10;

  static google::protobuf::ArenaOptions Options(char* block) {
    google::protobuf::ArenaOptions options;
    options.initial_block = block;
    options.initial_block_size = kBlockBytes;
    options.max_block_size = 1 << 20;
    return options;
  }

  std::unique_ptr<char[]> block{new char[kBlockBytes]};
  google::protobuf::Arena arena{Options(block.get())};
  engine::RecordView view;
  std::vector<engine::SeriesView> series;
  std::vector<engine::HistogramView> histograms;
  std::vector<std::pair<std::string_view, std::uint64_t>> refused;

  Status ReadSeries(const v1::MetricBatch& batch);
  Status ReadHistograms(const v1::MetricBatch& batch);
  Status ReadBatch(const v1::MetricBatch& batch);
  void ReadTick(const v1::Tick& tick);
};

Status Decoder::Impl::ReadSeries(const v1::MetricBatch& batch) {
  series.clear();
  series.reserve(static_cast<std::size_t>(batch.series_size()));
  const auto strings = static_cast<std::uint32_t>(batch.strings_size());
  for (const v1::SeriesEntry& entry : batch.series()) {
    if (entry.metric() >= strings || entry.unit() >= strings) {
      return Malformed("a series names string " +
                       std::to_string(std::max(entry.metric(), entry.unit())) + " of " +
                       std::to_string(strings));
    }
    if (entry.kind() < v1::SERIES_KIND_COUNTER_DELTA ||
        entry.kind() > v1::SERIES_KIND_HISTOGRAM_CUMULATIVE) {
      return Malformed("series kind " + std::to_string(static_cast<int>(entry.kind())) +
                       " is not known");
    }
    engine::SeriesView out;
    out.fingerprint = {entry.fingerprint_hi(), entry.fingerprint_lo()};
    out.kind = static_cast<engine::SeriesKind>(entry.kind());
    out.metric = batch.strings(static_cast<int>(entry.metric()));
    out.unit = batch.strings(static_cast<int>(entry.unit()));
    out.labels = entry.labels();
    series.push_back(out);
  }
  return {};
}

Status Decoder::Impl::ReadHistograms(const v1::MetricBatch& batch) {
  histograms.clear();
  histograms.reserve(static_cast<std::size_t>(batch.histograms_size()));
  for (const v1::HistogramPoint& point : batch.histograms()) {
    if (point.series() >= series.size()) return Malformed("a histogram names an unknown series");
    if (point.bucket_counts_size() != point.bounds_size() + 1) {
      return Malformed("a histogram has " + std::to_string(point.bucket_counts_size()) +
                       " buckets for " + std::to_string(point.bounds_size()) + " bounds");
    }
    for (int i = 0; i < point.bounds_size(); ++i) {
      if (!std::isfinite(point.bounds(i)) || (i > 0 && point.bounds(i) <= point.bounds(i - 1))) {
        return Malformed("the bounds of a histogram do not ascend");
      }
    }
    if (!Sane(point.time_delta_ms()) || !Sane(point.duration_ms())) {
      return Malformed("a histogram's time is out of range");
    }
    engine::HistogramView out;
    out.series = point.series();
    out.time_delta_ms = point.time_delta_ms();
    out.duration_ms = point.duration_ms();
    out.count = point.count();
    out.sum = point.sum();
    out.bounds = SpanOf(point.bounds());
    out.bucket_counts = SpanOf(point.bucket_counts());
    histograms.push_back(out);
  }
  return {};
}

Status Decoder::Impl::ReadBatch(const v1::MetricBatch& batch) {
  if (batch.service().empty()) return Malformed("no service");
  const int points = batch.point_series_size();
  if (batch.point_time_delta_ms_size() != points || batch.point_value_size() != points ||
      (batch.point_duration_ms_size() != 0 && batch.point_duration_ms_size() != points)) {
    return Malformed("its columns differ in length");
  }
  if (!Sane(batch.base_time_ms())) return Malformed("its base time is out of range");
  if (Status s = ReadSeries(batch); !s.ok()) return s;
  if (Status s = ReadHistograms(batch); !s.ok()) return s;
  for (const std::uint32_t index : batch.point_series()) {
    if (index >= series.size()) return Malformed("a point names an unknown series");
  }
  for (const std::int64_t delta : batch.point_time_delta_ms()) {
    if (!Sane(delta)) return Malformed("a point's time is out of range");
  }
  for (const std::uint64_t duration : batch.point_duration_ms()) {
    if (!Sane(duration)) return Malformed("a point's duration is out of range");
  }
  engine::BatchView out;
  out.service = batch.service();
  out.protocol =
      batch.protocol() == v1::PROTOCOL_OTLP ? engine::Protocol::kOtlp : engine::Protocol::kNative;
  out.series = series;
  out.base_time_ms = batch.base_time_ms();
  out.point_series = SpanOf(batch.point_series());
  out.point_time_delta_ms = SpanOf(batch.point_time_delta_ms());
  out.point_duration_ms = SpanOf(batch.point_duration_ms());
  out.point_value = SpanOf(batch.point_value());
  out.histograms = histograms;
  view.body = out;
  return {};
}

void Decoder::Impl::ReadTick(const v1::Tick& tick) {
  refused.clear();
  for (const auto& [service, points] : tick.refused_points()) refused.emplace_back(service, points);
  // A protobuf map has no order of its own; the engine must see the same one in every replay.
  std::sort(refused.begin(), refused.end());
  engine::TickView out;
  out.instance = tick.instance();
  out.session = tick.session();
  out.steady_ms = std::clamp(tick.steady_ms(), -kTimeMax, kTimeMax);
  out.accepting = tick.accepting();
  out.goodbye = tick.goodbye();
  out.refused_points = refused;
  out.refused_any_service = tick.refused_any_service();
  view.body = out;
}

Decoder::Decoder() : impl_(std::make_unique<Impl>()) {}
Decoder::~Decoder() = default;

Result<const engine::RecordView*> Decoder::Decode(std::int64_t offset, RealTime append_time,
                                                  std::string_view value) {
  Impl& impl = *impl_;
  impl.arena.Reset();
  auto* record = google::protobuf::Arena::CreateMessage<v1::ShardRecord>(&impl.arena);
  if (value.size() > (1u << 30) ||
      !record->ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return InvalidError("not a ShardRecord (" + std::to_string(value.size()) + " bytes)");
  }
  engine::RecordView& view = impl.view;
  view.offset = offset;
  view.append_time = append_time;
  view.source = {record->source().emitter(), record->source().session(),
                 record->source().sequence()};
  switch (record->body_case()) {
    case v1::ShardRecord::kBatch:
      if (Status s = impl.ReadBatch(record->batch()); !s.ok()) return s.error();
      break;
    case v1::ShardRecord::kTick:
      impl.ReadTick(record->tick());
      break;
    case v1::ShardRecord::kPlan:
      view.body = engine::PlanActivationView{record->plan().service(), record->plan().version(),
                                             record->plan().text(), record->plan().applied_by()};
      break;
    case v1::ShardRecord::kDeployment: {
      const v1::DeploymentMarker& marker = record->deployment();
      if (!Sane(marker.time_ms())) return InvalidError("a deployment's time is out of range");
      view.body = engine::DeploymentView{marker.service(), marker.revision(), marker.description(),
                                         marker.actor(), InstantFromMs(marker.time_ms())};
      break;
    }
    case v1::ShardRecord::kProbe: {
      const v1::ProbeStart& probe = record->probe();
      if (!Sane(probe.within_ms())) return InvalidError("a probe's time limit is out of range");
      view.body = engine::ProbeStartView{probe.probe_id(), probe.service(), probe.expression(),
                                         Duration(static_cast<std::int64_t>(probe.within_ms()))};
      break;
    }
    case v1::ShardRecord::kPartial:
      return InvalidError("a Partial: rules that span shards are not run by this build");
    case v1::ShardRecord::BODY_NOT_SET:
      return InvalidError("a ShardRecord without a body that this build knows");
  }
  return &view;
}

}  // namespace liveops::evaluation
