#include "services/rule-evaluation/codec/decoder.h"

#include <google/protobuf/arena.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/base/labels.h"
#include "liveops/v1/metrics.pb.h"
#include "services/rule-evaluation/codec/batch_reader.h"
#include "services/rule-evaluation/codec/ranges.h"
#include "services/rule-evaluation/codec/reads_codec.h"

namespace liveops::evaluation {
struct Decoder::Impl {
  // Nearly all records that are no batches fit into the first block, which survives Reset.
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
  BatchReader batch;
  std::vector<std::pair<std::string_view, std::uint64_t>> refused;
  std::string labels;  // of an alert
  std::vector<engine::ServiceRead> reads;

  // Into the arena; nullptr when the bytes are no ShardRecord.
  const v1::ShardRecord* Parse(std::string_view value);
  Status ReadOther(const v1::ShardRecord& record);
  void ReadTick(const v1::Tick& tick);
  void ReadAlert(const v1::ExternalAlert& alert);
};

const v1::ShardRecord* Decoder::Impl::Parse(std::string_view value) {
  arena.Reset();
  auto* record = google::protobuf::Arena::CreateMessage<v1::ShardRecord>(&arena);
  return record->ParseFromArray(value.data(), static_cast<int>(value.size())) ? record : nullptr;
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

void Decoder::Impl::ReadAlert(const v1::ExternalAlert& alert) {
  Labels::Pairs pairs;
  for (const v1::Label& label : alert.labels()) pairs.emplace_back(label.name(), label.value());
  labels = Labels(std::move(pairs)).Encode();
  engine::ExternalAlertView out;
  out.service = alert.service();
  out.source = alert.source();
  out.name = alert.name();
  out.labels = labels;
  out.severity = alert.severity();
  out.summary = alert.summary();
  out.description = alert.description();
  out.runbook = alert.runbook();
  out.link = alert.link();
  out.firing = alert.firing();
  out.starts = InstantFromMs(alert.starts_ms());
  out.until = InstantFromMs(alert.valid_until_ms());
  view.body = out;
}

Status Decoder::Impl::ReadOther(const v1::ShardRecord& record) {
  switch (record.body_case()) {
    case v1::ShardRecord::kTick:
      ReadTick(record.tick());
      return {};
    case v1::ShardRecord::kPlan:
      if (!Sane(record.plan().spread_from_ms())) {
        return InvalidError("the time from which on a service is spread is out of range");
      }
      if (!FromProto(record.plan().reads(), reads)) {
        return InvalidError("a plan reads a service of which what it says is out of range");
      }
      view.body = engine::PlanActivationView{record.plan().service(),
                                             record.plan().version(),
                                             record.plan().text(),
                                             record.plan().applied_by(),
                                             RealFromMs(record.plan().spread_from_ms()),
                                             reads};
      return {};
    case v1::ShardRecord::kDeployment: {
      const v1::DeploymentMarker& marker = record.deployment();
      if (!Sane(marker.time_ms())) return InvalidError("a deployment's time is out of range");
      view.body = engine::DeploymentView{marker.service(), marker.revision(), marker.description(),
                                         marker.actor(), InstantFromMs(marker.time_ms())};
      return {};
    }
    case v1::ShardRecord::kDecommission: {
      const v1::DecommissionMarker& marker = record.decommission();
      if (!Sane(marker.time_ms())) return InvalidError("a decommission's time is out of range");
      if (marker.labels().empty() || !Labels::Decode(marker.labels())) {
        return InvalidError("a decommission without readable labels");
      }
      view.body = engine::DecommissionView{marker.service(), marker.labels(), marker.reason(),
                                           marker.actor(), InstantFromMs(marker.time_ms())};
      return {};
    }
    case v1::ShardRecord::kProbe: {
      const v1::ProbeStart& probe = record.probe();
      if (!Sane(probe.within_ms())) return InvalidError("a probe's time limit is out of range");
      view.body = engine::ProbeStartView{probe.probe_id(), probe.service(), probe.expression(),
                                         Duration(static_cast<std::int64_t>(probe.within_ms()))};
      return {};
    }
    case v1::ShardRecord::kReadings: {
      const v1::Readings& readings = record.readings();
      if (!Sane(readings.step_end_ms())) return InvalidError("a step's end is out of range");
      view.body = engine::ReadingsView{
          readings.service(),     readings.rule(), readings.windows(), readings.source_partition(),
          readings.step_end_ms(), readings.part(), readings.parts(),   readings.groups()};
      return {};
    }
    case v1::ShardRecord::kAlert:
      if (!Sane(record.alert().starts_ms()) || !Sane(record.alert().valid_until_ms())) {
        return InvalidError("an alert's time is out of range");
      }
      ReadAlert(record.alert());
      return {};
    case v1::ShardRecord::kBatch:  // BatchReader found none
    case v1::ShardRecord::BODY_NOT_SET:
      break;
  }
  return InvalidError("a ShardRecord without a body that this build knows");
}

Decoder::Decoder() : impl_(std::make_unique<Impl>()) {}
Decoder::~Decoder() = default;

Result<const engine::RecordView*> Decoder::Decode(std::int64_t offset, RealTime append_time,
                                                  std::string_view value) {
  using Found = BatchReader::Found;
  Impl& impl = *impl_;
  engine::RecordView& view = impl.view;
  const Found found = value.size() > (1u << 30) ? Found::kMalformed : impl.batch.Read(value);
  // What a batch superseded must be well-formed too.
  const v1::ShardRecord* record =
      found == Found::kOther || found == Found::kMixed ? impl.Parse(value) : nullptr;
  if (found == Found::kMalformed || (found != Found::kBatch && record == nullptr)) {
    return InvalidError("not a ShardRecord (" + std::to_string(value.size()) + " bytes)");
  }
  view.offset = offset;
  view.append_time = append_time;
  if (found == Found::kOther) {
    view.source = {record->source().emitter(), record->source().session(),
                   record->source().sequence()};
    if (Status s = impl.ReadOther(*record); !s.ok()) return s.error();
    return &view;
  }
  view.source = impl.batch.source();
  Result<engine::BatchView> batch = impl.batch.Check();
  if (!batch.ok()) return batch.error();
  view.body = *batch;
  return &view;
}

}  // namespace liveops::evaluation
