#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "liveops/v1/logs.pb.h"
#include "liveops/v1/metrics.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "services/ingest/codec/request_reader.h"
#include "services/ingest/service/fake_producer.h"
#include "services/ingest/service/ticker.h"

// For the tests of this folder: a Core with its ticker on a Kafka that is fake.
namespace liveops::ingest {

using OtlpRequest = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;

inline constexpr std::int64_t kNow = 1'770'000'000'000;

inline v1::WriteRequest Request(const std::string& service = "backend-api",
                                std::uint64_t sequence = 1) {
  v1::WriteRequest request;
  request.mutable_source()->set_emitter("api-7f9c");
  request.mutable_source()->set_session(42);
  request.mutable_source()->set_sequence(sequence);
  v1::MetricBatch* const batch = request.mutable_batch();
  batch->set_service(service);
  batch->add_strings("cpu");
  batch->add_strings("%");
  auto* const series = batch->add_series();
  series->set_kind(v1::SERIES_KIND_GAUGE);
  series->set_unit(1);
  batch->set_base_time_ms(kNow);
  batch->add_point_series(0);
  batch->add_point_time_delta_ms(0);
  batch->add_point_value(40);
  return request;
}

inline const rpc::Peer kPeer{"api", {rpc::Role::kEmitter}, {}};

struct World {
  FakeProducer producer;
  FakeProducer exemplars;
  Settings settings;
  std::optional<Core> core;
  std::optional<Ticker> ticker;
  int answers = 0;
  int flushes = 0;
  std::optional<Result<WriteAnswer>> last;

  World() {
    settings.instance = "ingest-0";
    settings.session = 7;
    settings.partitions = 4;
  }
  void Build() {
    core.emplace(settings, producer);
    core->exemplars().WriteTo({&exemplars, "ingest-0", 7, 4});
    ticker.emplace(*core);
  }
  void Ready() {
    Build();
    core->Open({});
    core->spreads().ReadToEnd(std::chrono::steady_clock::now());
    Tick();
    producer.sent.clear();
  }
  void Tick(bool goodbye = false) { ticker->TickOnce(std::chrono::steady_clock::now(), goodbye); }
  Core::Done Keep() {
    return [this](const Result<WriteAnswer>& result) {
      ++answers;
      last = result;
    };
  }
  void Write(const v1::WriteRequest& request, const rpc::Peer& peer = kPeer,
             const std::string& trace = "") {
    last.reset();
    const std::string bytes = request.SerializeAsString();
    RequestReader reader;
    ASSERT_TRUE(reader.Read(bytes));
    core->Write({reader.source(), reader.input()}, bytes.size(), peer, trace, Keep());
  }
  void Export(const OtlpRequest& request, const rpc::Peer& peer = kPeer) {
    core->Export(request.SerializeAsString(), peer, "", Keep());
  }
  v1::ShardRecord Sent(std::size_t i) {
    v1::ShardRecord record;
    EXPECT_TRUE(record.ParseFromString(producer.sent.at(i).value));
    return record;
  }
  ErrorCode Code() { return last->error().code; }
  // What of the exemplars that came since the last time is written for pages.
  std::vector<v1::Exemplar> Exemplars() {
    core->exemplars().Flush(std::chrono::steady_clock::now() + Duration(2000) * ++flushes, {});
    std::vector<v1::Exemplar> out;
    for (const auto& record : exemplars.sent) {
      v1::LogBatch batch;
      EXPECT_TRUE(batch.ParseFromString(record.value));
      out.insert(out.end(), batch.exemplars().begin(), batch.exemplars().end());
    }
    exemplars.sent.clear();
    return out;
  }
};

inline OtlpRequest OtlpOf(std::initializer_list<std::string> services) {
  OtlpRequest request;
  for (const std::string& service : services) {
    auto* const resource = request.add_resource_metrics();
    auto* const attribute = resource->mutable_resource()->add_attributes();
    attribute->set_key("service.name");
    attribute->mutable_value()->set_string_value(service);
    auto* const metric = resource->add_scope_metrics()->add_metrics();
    metric->set_name("cpu");
    auto* const point = metric->mutable_gauge()->add_data_points();
    point->set_time_unix_nano(static_cast<std::uint64_t>(kNow) * 1'000'000);
    point->set_as_double(1);
    resource->mutable_scope_metrics(0)->add_metrics()->mutable_summary()->add_data_points();
  }
  return request;
}

}  // namespace liveops::ingest
