#include "common/rpc/server.h"

#include <gmock/gmock.h>
#include <google/protobuf/empty.pb.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/server_context.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "common/rpc/certificates_for_tests.h"
#include "common/rpc/roles.h"
#include "liveops/v1/alarms.grpc.pb.h"
#include "liveops/v1/ingest.grpc.pb.h"
#include "liveops/v1/notifications.grpc.pb.h"
#include "liveops/v1/plans.grpc.pb.h"
#include "liveops/v1/remediations.grpc.pb.h"
#include "liveops/v1/status.grpc.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.grpc.pb.h"

namespace liveops::rpc {
namespace {

using google::protobuf::Empty;
using testing::HasSubstr;

const Certificates& Certs() {
  static const Certificates certificates;
  return certificates;
}

class EchoStatus final : public v1::Status::Service {
 public:
  grpc::Status GetStatus(grpc::ServerContext* context, const v1::GetStatusRequest*,
                         v1::GetStatusResponse* response) override {
    ++calls;
    const Peer peer = PeerOf(*context);
    response->set_instance(peer.name);
    for (const Role role : peer.roles)
      response->set_detail(response->detail() + RoleName(role) + " ");
    for (const std::string& name : peer.services) response->set_version(name);
    return grpc::Status::OK;
  }
  std::atomic<int> calls{0};
};

class EchoIngest final : public v1::Ingest::Service {
 public:
  grpc::Status ReportDeployment(grpc::ServerContext* context, const v1::ReportDeploymentRequest*,
                                v1::ReportDeploymentResponse*) override {
    const Peer peer = PeerOf(*context);
    last_peer = peer.name + (peer.roles == std::set<Role>{Role::kEmitter} ? " emitter" : "");
    return ToGrpc(UnavailableError("Kafka is away"), Duration(1500));
  }
  std::string last_peer;
};

struct AllServices {
  EchoStatus status;
  EchoIngest ingest;
  v1::Alarms::Service alarms;
  v1::Plans::Service plans;
  v1::Notifications::Service notifications;
  v1::Remediations::Service remediations;
  opentelemetry::proto::collector::metrics::v1::MetricsService::Service otlp;
  std::vector<grpc::Service*> All() {
    return {&status, &ingest, &alarms, &plans, &notifications, &remediations, &otlp};
  }
};

ServerConfig TlsConfig() {
  ServerConfig config;
  config.tls = Certs().Files("server");
  return config;
}

// The code of a call of that method with an empty message.
grpc::Status Call(const std::shared_ptr<grpc::Channel>& channel, const std::string& method) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  Empty request;
  Empty response;
  return grpc::internal::BlockingUnaryCall(
      channel.get(),
      grpc::internal::RpcMethod(method.c_str(), grpc::internal::RpcMethod::NORMAL_RPC), &context,
      request, &response);
}

std::string LocalAddress(int port) { return "127.0.0.1:" + std::to_string(port); }

TEST(Server, RefusesAServiceThatTheTableDoesNotKnow) {
  struct Unlisted : grpc::Service {
    Unlisted() {
      AddMethod(new grpc::internal::RpcServiceMethod(
          "/liveops.v1.Secret/Open", grpc::internal::RpcMethod::NORMAL_RPC,
          new grpc::internal::RpcMethodHandler<
              Unlisted, Empty, Empty, google::protobuf::MessageLite, google::protobuf::MessageLite>(
              [](Unlisted*, grpc::ServerContext*, const Empty*, Empty*) {
                return grpc::Status::OK;
              },
              this)));
    }
  } unlisted;
  EchoStatus status;
  const auto server = Server::Start(TlsConfig(), {&status, &unlisted});
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(server.error().message, HasSubstr("liveops.v1.Secret"));
}

TEST(Server, RefusesBadAddressesAndFiles) {
  EchoStatus status;
  EchoIngest ingest;
  ServerConfig config = TlsConfig();
  config.plain_address = "0.0.0.0:0";
  auto server = Server::Start(config, {&status}, {&ingest});
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(server.error().message, HasSubstr("loopback"));

  config.plain_address = "127.0.0.1:0";
  server = Server::Start(config, {&status}, {&status});
  ASSERT_FALSE(server.ok());
  EXPECT_THAT(server.error().message, HasSubstr("not for emitters"));

  config = ServerConfig();
  server = Server::Start(config, {&status});
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.error().code, ErrorCode::kInvalid);

  config = TlsConfig();
  config.tls.key = Certs().Path("missing.key");
  server = Server::Start(config, {&status});
  ASSERT_FALSE(server.ok());
  EXPECT_THAT(server.error().message, HasSubstr("missing.key"));

  for (const char* address : {"localhost", "::1:80", "127.0.0.1:65536", ":80", "127.0.0.1:x"}) {
    config = TlsConfig();
    config.address = address;
    server = Server::Start(config, {&status});
    ASSERT_FALSE(server.ok()) << address;
    EXPECT_EQ(server.error().code, ErrorCode::kInvalid) << address;
  }
}

TEST(Server, APortThatIsTakenIsUnavailable) {
  EchoStatus status;
  const auto first = Server::Start(TlsConfig(), {&status});
  ASSERT_TRUE(first.ok()) << first.error().message;
  ServerConfig config = TlsConfig();
  config.address = LocalAddress((*first)->port());
  const auto second = Server::Start(config, {&status});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
}

TEST(Server, OnlyItsOwnAuthoritysLiveCertificatesGetIn) {
  EchoStatus status;
  const auto server = Server::Start(TlsConfig(), {&status});
  ASSERT_TRUE(server.ok()) << server.error().message;
  const std::string address = LocalAddress((*server)->port());
  const auto call = [&](const TlsFiles& files) {
    return Call(Connect(address, files), "/liveops.v1.Status/GetStatus");
  };

  EXPECT_TRUE(call(Certs().Files("viewer")).ok());
  const int before = status.calls;
  EXPECT_EQ(call(Certs().Files("intruder")).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(call(Certs().Files("late")).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(call(TlsFiles{}).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.calls, before);

  const grpc::Status broken = call({Certs().Path("ca.crt"), "/nowhere.crt", "/nowhere.key"});
  EXPECT_THAT(broken.error_message(), HasSubstr("/nowhere.crt"));
}

TEST(Server, EveryMethodIsForItsRoleAlone) {
  AllServices services;
  const auto server = Server::Start(TlsConfig(), services.All());
  ASSERT_TRUE(server.ok()) << server.error().message;
  (*server)->SetServing(true);
  const std::string address = LocalAddress((*server)->port());
  const std::map<std::string, std::set<Role>> peers = {
      {"emitter", {Role::kEmitter}},
      {"viewer", {Role::kViewer}},
      {"operator", {Role::kOperator}},
      {"approver", {Role::kApprover}},
      {"nobody", {}},
      {"pretender", {}},
  };
  for (const auto& [name, roles] : peers) {
    const auto channel = Connect(address, Certs().Files(name));
    for (const auto& [method, wanted] : RoleTable()) {
      const bool may = Grants(roles, wanted);
      const auto code = Call(channel, method).error_code();
      EXPECT_EQ(code == grpc::StatusCode::PERMISSION_DENIED, !may)
          << name << " " << method << " " << code;
    }
    EXPECT_EQ(Call(channel, "/liveops.v1.Status/Reset").error_code(),
              grpc::StatusCode::PERMISSION_DENIED)
        << name;
    EXPECT_TRUE(Call(channel, "/grpc.health.v1.Health/Check").ok()) << name;
  }
}

TEST(Server, ADeniedCallLeavesAnAuditLine) {
  EchoStatus status;
  const auto server = Server::Start(TlsConfig(), {&status});
  ASSERT_TRUE(server.ok());
  testing::internal::CaptureStderr();
  Call(Connect(LocalAddress((*server)->port()), Certs().Files("emitter")),
       "/liveops.v1.Status/GetStatus");
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_THAT(lines, HasSubstr("\"event\":\"call_denied\""));
  EXPECT_THAT(lines, HasSubstr("\"peer\":\"emitter\""));
  EXPECT_THAT(lines, HasSubstr("\"method\":\"/liveops.v1.Status/GetStatus\""));
  EXPECT_THAT(lines, HasSubstr("\"role_wanted\":\"viewer\""));
  EXPECT_EQ(status.calls, 0);
}

TEST(Server, TellsHandlersWhoCalls) {
  EchoStatus status;
  EchoIngest ingest;
  ServerConfig config = TlsConfig();
  config.plain_address = "127.0.0.1:0";
  const auto server = Server::Start(config, {&status, &ingest}, {&ingest});
  ASSERT_TRUE(server.ok()) << server.error().message;

  grpc::ClientContext context;
  v1::GetStatusResponse response;
  const auto stub =
      v1::Status::NewStub(Connect(LocalAddress((*server)->port()), Certs().Files("operator")));
  ASSERT_TRUE(stub->GetStatus(&context, {}, &response).ok());
  EXPECT_EQ(response.instance(), "operator");
  EXPECT_EQ(response.detail(), "operator ");
  EXPECT_EQ(response.version(), "");

  grpc::ClientContext tied_context;
  const auto tied =
      v1::Status::NewStub(Connect(LocalAddress((*server)->port()), Certs().Files("tied")));
  ASSERT_TRUE(tied->GetStatus(&tied_context, {}, &response).ok());
  EXPECT_EQ(response.version(), "backend-api");

  const auto plain = Connect(LocalAddress((*server)->plain_port()), {});
  EXPECT_EQ(Call(plain, "/liveops.v1.Ingest/ReportDeployment").error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ingest.last_peer, "local emitter");
  EXPECT_EQ(Call(plain, "/liveops.v1.Status/GetStatus").error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(status.calls, 2);
}

TEST(Server, ReportsHealth) {
  EchoStatus status;
  const auto server = Server::Start(TlsConfig(), {&status});
  ASSERT_TRUE(server.ok());
  const auto channel = Connect(LocalAddress((*server)->port()), Certs().Files("nobody"));
  const auto serving = [&] {
    grpc::ClientContext context;
    Empty request;
    Empty response;  // HealthCheckResponse.status lands in an unknown field: 08 01 is SERVING
    const auto s = grpc::internal::BlockingUnaryCall(
        channel.get(),
        grpc::internal::RpcMethod("/grpc.health.v1.Health/Check",
                                  grpc::internal::RpcMethod::NORMAL_RPC),
        &context, request, &response);
    EXPECT_TRUE(s.ok()) << s.error_message();
    return response.SerializeAsString() == "\x08\x01";
  };
  EXPECT_FALSE(serving());
  (*server)->SetServing(true);
  EXPECT_TRUE(serving());
  (*server)->SetServing(false);
  EXPECT_FALSE(serving());
}

TEST(Server, RefusesTooLargeAMessage) {
  AllServices services;
  ServerConfig config = TlsConfig();
  config.message_bytes_max = 64 << 10;
  const auto server = Server::Start(config, services.All());
  ASSERT_TRUE(server.ok());
  const auto stub =
      v1::Plans::NewStub(Connect(LocalAddress((*server)->port()), Certs().Files("operator")));
  v1::ApplyPlanRequest request;
  request.set_text(std::string(100 << 10, 'x'));
  grpc::ClientContext context;
  v1::ApplyPlanResponse response;
  EXPECT_EQ(stub->ApplyPlan(&context, request, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// Reads its messages raw, as who takes compressed ones must.
class RawOtlp final
    : public opentelemetry::proto::collector::metrics::v1::MetricsService::
          WithRawCallbackMethod_Export<
              opentelemetry::proto::collector::metrics::v1::MetricsService::Service> {
 public:
  grpc::ServerUnaryReactor* Export(grpc::CallbackServerContext* context,
                                   const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* response) override {
    wire_bytes = request->Length();
    const Result<std::string> bytes = MessageBytes(*request, 64 << 10);
    size = bytes ? bytes->size() : 0;
    const grpc::Slice empty("");
    *response = grpc::ByteBuffer(&empty, 1);
    auto* const reactor = context->DefaultReactor();
    reactor->Finish(bytes ? grpc::Status::OK : ToGrpc(bytes.error()));
    return reactor;
  }
  std::size_t wire_bytes = 0;
  std::size_t size = 0;
};

TEST(Server, InflatesWithinABoundAndOnlyWhereAskedTo) {
  RawOtlp otlp;
  v1::Plans::Service plans;
  ServerConfig config = TlsConfig();
  config.plain_address = "127.0.0.1:0";
  const auto server = Server::Start(config, {&otlp, &plans}, {&otlp});
  ASSERT_TRUE(server.ok()) << server.error().message;
  const auto plain = Connect(LocalAddress((*server)->plain_port()), {});
  const auto otlp_stub =
      opentelemetry::proto::collector::metrics::v1::MetricsService::NewStub(plain);
  const auto send = [&](std::size_t bytes, grpc_compression_algorithm algorithm) {
    opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest request;
    request.add_resource_metrics()->set_schema_url(std::string(bytes, 'x'));
    opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceResponse response;
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    return otlp_stub->Export(&context, request, &response);
  };
  EXPECT_TRUE(send(1000, GRPC_COMPRESS_NONE).ok());
  EXPECT_EQ(otlp.size, otlp.wire_bytes);
  const grpc::Status zipped = send(60'000, GRPC_COMPRESS_GZIP);
  EXPECT_TRUE(zipped.ok()) << zipped.error_message();
  EXPECT_GT(otlp.size, 60'000u);
  EXPECT_LT(otlp.wire_bytes, 2000u);
  const grpc::Status bomb = send(3'000'000, GRPC_COMPRESS_GZIP);
  EXPECT_EQ(bomb.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(bomb.error_message(), HasSubstr("65536"));
  EXPECT_LT(otlp.wire_bytes, 64u << 10);
  EXPECT_EQ(send(1000, GRPC_COMPRESS_DEFLATE).error_code(), grpc::StatusCode::UNIMPLEMENTED);

  const auto plans_stub =
      v1::Plans::NewStub(Connect(LocalAddress((*server)->port()), Certs().Files("operator")));
  v1::ApplyPlanRequest request;
  request.set_text(std::string(100 << 10, 'x'));
  v1::ApplyPlanResponse response;
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  EXPECT_FALSE(plans_stub->ApplyPlan(&context, request, &response).ok());
}

TEST(Server, CapsConnectionsAndTakesNewOnesWhenOldOnesLeave) {
  EchoStatus status;
  ServerConfig config = TlsConfig();
  config.connections_max = 2;
  const auto server = Server::Start(config, {&status});
  ASSERT_TRUE(server.ok());
  const std::string address = LocalAddress((*server)->port());
  const auto call = [&](const std::shared_ptr<grpc::Channel>& c) {
    return Call(c, "/liveops.v1.Status/GetStatus");
  };
  // Other credentials, else gRPC would share one connection.
  auto first = Connect(address, Certs().Files("viewer"));
  const auto second = Connect(address, Certs().Files("operator"));
  const auto third = Connect(address, Certs().Files("approver"));
  EXPECT_TRUE(call(first).ok());
  EXPECT_TRUE(call(second).ok());
  EXPECT_EQ(call(third).error_code(), grpc::StatusCode::UNAVAILABLE);
  first.reset();
  bool in = false;
  for (int i = 0; i < 100 && !in; ++i) {
    in = call(third).ok();
    if (!in) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(in);
}

TEST(Server, StopEndsCallsAndIsIdempotent) {
  EchoStatus status;
  const auto server = Server::Start(TlsConfig(), {&status});
  ASSERT_TRUE(server.ok());
  const auto channel = Connect(LocalAddress((*server)->port()), Certs().Files("viewer"));
  EXPECT_TRUE(Call(channel, "/liveops.v1.Status/GetStatus").ok());
  (*server)->Stop(Duration(100));
  (*server)->Stop(Duration(100));
  EXPECT_EQ(Call(channel, "/liveops.v1.Status/GetStatus").error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace liveops::rpc
