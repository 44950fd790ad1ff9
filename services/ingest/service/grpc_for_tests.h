#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "common/rpc/server.h"
#include "liveops/v1/ingest.grpc.pb.h"
#include "liveops/v1/status.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.grpc.pb.h"
#include "services/ingest/service/grpc_services.h"
#include "services/ingest/service/log_world_for_tests.h"
#include "services/ingest/service/world_for_tests.h"

// For the tests of this folder.
namespace liveops::ingest {

namespace collector = opentelemetry::proto::collector::metrics::v1;

// Core behind a real gRPC server on loopback; Kafka is fake.
class Grpc : public testing::Test {
 protected:
  explicit Grpc(const Settings& settings = {}) : settings_(settings) {}
  void SetUp() override {
    services_ =
        GrpcServices::Make(core_, spans_, logs_.intake, 1 << 20, [](v1::GetStatusResponse*) {});
    rpc::ServerConfig config;
    config.address = "";
    config.plain_address = "127.0.0.1:0";
    auto server = rpc::Server::Start(config, services_->for_emitters(), services_->for_emitters());
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = *std::move(server);
    const auto channel = rpc::Connect(address(), {});
    ingest_ = v1::Ingest::NewStub(channel);
    otlp_ = collector::MetricsService::NewStub(channel);
    core_.Open({});
    core_.spreads().ReadToEnd(std::chrono::steady_clock::now());
    Ticker(core_).TickOnce(std::chrono::steady_clock::now(), false);
    producer_.sent.clear();
  }
  void TearDown() override { server_->Stop(Duration(500)); }

  static v1::WriteRequest Request(std::uint64_t sequence) {
    v1::WriteRequest request;
    request.mutable_source()->set_emitter("e");
    request.mutable_source()->set_session(42);
    request.mutable_source()->set_sequence(sequence);
    v1::MetricBatch* const batch = request.mutable_batch();
    batch->set_service("backend-api");
    batch->add_strings("cpu");
    batch->add_series()->set_kind(v1::SERIES_KIND_GAUGE);
    batch->set_base_time_ms(kNow);
    batch->add_point_series(0);
    batch->add_point_time_delta_ms(0);
    batch->add_point_value(40);
    return request;
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(server_->plain_port()); }
  grpc::Status Write(const v1::WriteRequest& request, v1::WriteResponse* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    return ingest_->Write(&context, request, response);
  }

  FakeProducer producer_;
  const Settings settings_;
  Core core_{settings_, producer_};
  SpanIntake spans_{core_};
  LogWorld logs_{core_};
  std::unique_ptr<GrpcServices> services_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<v1::Ingest::Stub> ingest_;
  std::unique_ptr<collector::MetricsService::Stub> otlp_;
};

}  // namespace liveops::ingest
