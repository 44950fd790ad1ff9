#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "liveops/v1/alarms.grpc.pb.h"
#include "liveops/v1/plans.grpc.pb.h"
#include "services/liveopsctl/client/backend.h"
#include "services/liveopsctl/client/failure.h"

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;

// A rule-evaluation that answers as it was told.
class FakeAlarms : public v1::Alarms::Service {
 public:
  grpc::Status ListAlarms(grpc::ServerContext* context, const v1::ListAlarmsRequest* request,
                          v1::ListAlarmsResponse* response) override {
    if (hang) {
      while (!context->IsCancelled()) std::this_thread::yield();
    }
    response->add_alarms()->set_service(request->service());
    return answer;
  }
  grpc::Status ExplainAlarmAt(grpc::ServerContext* context,
                              const v1::ExplainAlarmAtRequest* request,
                              grpc::ServerWriter<v1::ExplainAlarmAtResponse>* writer) override {
    v1::ExplainAlarmAtResponse response;
    response.mutable_progress()->set_records(request->at_ms() > 0 ? 5 : 0);
    writer->Write(response);
    while (hang && !context->IsCancelled()) std::this_thread::yield();
    if (!answer.ok() || end_stream) return answer;
    response.mutable_answer()->set_alarm_id(request->alarm_id());
    writer->Write(response);
    return answer;
  }
  grpc::Status WatchAlarms(grpc::ServerContext* context, const v1::WatchAlarmsRequest*,
                           grpc::ServerWriter<v1::WatchAlarmsResponse>* writer) override {
    v1::WatchAlarmsResponse response;
    response.mutable_alarm()->set_alarm_id("a/b");
    writer->Write(response);
    if (end_stream) return answer;
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  }

  grpc::Status answer;
  bool hang = false;
  bool end_stream = false;
};

class GrpcBackendTest : public ::testing::Test {
 protected:
  GrpcBackendTest() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&alarms_);
    server_ = builder.BuildAndStart();
  }
  ~GrpcBackendTest() override { server_->Shutdown(std::chrono::system_clock::now()); }

  std::unique_ptr<Backend> Connected(Duration timeout = Duration(5000)) {
    Settings settings;
    settings.addresses[liveops::ctl::Server::kEvaluation] = "127.0.0.1:" + std::to_string(port_);
    return ConnectBackend(settings, timeout);
  }

  FakeAlarms alarms_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(GrpcBackendTest, CallsTheRightService) {
  v1::ListAlarmsRequest request;
  request.set_service("api");
  const auto response = Connected()->ListAlarms(request);
  ASSERT_TRUE(response.ok()) << response.error().message;
  EXPECT_EQ(response->alarms(0).service(), "api");
}

TEST_F(GrpcBackendTest, AnswersThatAreNo) {
  alarms_.answer = {grpc::StatusCode::NOT_FOUND, "no alarm \"x\""};
  const auto response = Connected()->ListAlarms({});
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(response.error().message, "no alarm \"x\"");
}

TEST_F(GrpcBackendTest, ADependencyOfTheServiceIsAway) {
  alarms_.answer = {grpc::StatusCode::UNAVAILABLE, "Redis is away"};
  const auto response = Connected()->ListAlarms({});
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(response.error().message, HasSubstr("cannot serve this now: Redis is away"));
}

TEST_F(GrpcBackendTest, ACallEndsAtItsTimeout) {
  alarms_.hang = true;
  const auto response = Connected(Duration(50))->ListAlarms({});
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code, ErrorCode::kTimeout);
}

TEST_F(GrpcBackendTest, AnotherServiceAtTheAddress) {
  const auto response = Connected()->ListPlans({});
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(response.error().message, HasSubstr("is this the address of rule-evaluation?"));
}

TEST_F(GrpcBackendTest, NobodyAtTheAddress) {
  server_->Shutdown(std::chrono::system_clock::now());
  const auto response = Connected()->ListAlarms({});
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(response.error().message, HasSubstr("cannot reach rule-evaluation at 127.0.0.1:"));
  EXPECT_THAT(response.error().message, HasSubstr("connection refused"));
}

TEST_F(GrpcBackendTest, AReplayTellsItsProgressAndThenTheAnswer) {
  Cancellation cancellation;
  v1::ExplainAlarmAtRequest request;
  request.set_alarm_id("a/b");
  request.set_at_ms(1);
  std::uint64_t records = 0;
  const auto ask = [&](Duration timeout) {
    return Connected(timeout)->ExplainAlarmAt(
        request, [&](const v1::ReplayProgress& progress) { records = progress.records(); },
        cancellation);
  };
  const auto past = ask(Duration(1));  // no call's time-out ends it
  ASSERT_TRUE(past.ok()) << past.error().message;
  EXPECT_EQ(past->alarm_id(), "a/b");
  EXPECT_EQ(records, 5U);
  alarms_.end_stream = true;
  EXPECT_EQ(ask(Duration(5000)).error().code, ErrorCode::kInternal);
  alarms_.answer = {grpc::StatusCode::UNAVAILABLE, "another replay of the past is under way"};
  EXPECT_EQ(ask(Duration(5000)).error().code, ErrorCode::kUnavailable);
  alarms_.hang = true;
  cancellation.Cancel();
  EXPECT_EQ(ask(Duration(5000)).error().code, ErrorCode::kTimeout);
}

TEST_F(GrpcBackendTest, WatchEndsWhenCancelled) {
  Cancellation cancellation;
  std::promise<void> seen;
  std::thread canceller([&] {
    seen.get_future().wait();
    cancellation.Cancel();
  });
  const Status ended = Connected()->WatchAlarms(
      {},
      [&](const v1::AlarmStatus& alarm) {
        EXPECT_EQ(alarm.alarm_id(), "a/b");
        seen.set_value();
        return true;
      },
      cancellation);
  canceller.join();
  EXPECT_TRUE(ended.ok());
}

TEST_F(GrpcBackendTest, WatchEndsWhenNoLongerWantedAndTellsABrokenStream) {
  Cancellation cancellation;
  EXPECT_TRUE(Connected()
                  ->WatchAlarms(
                      {}, [](const auto&) { return false; }, cancellation)
                  .ok());
  alarms_.end_stream = true;
  const Status ended = Connected()->WatchAlarms(
      {}, [](const auto&) { return true; }, cancellation);
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code, ErrorCode::kUnavailable);
}

TEST(ExplainFailure, SaysWhatToTry) {
  const CallSite ack{"notifier", "h:1", "Acknowledge", true, true};
  EXPECT_EQ(ExplainFailure(ack, grpc::StatusCode::PERMISSION_DENIED, "it needs the role operator")
                .message,
            "notifier at h:1 denies Acknowledge: it needs the role operator; what you may do "
            "stands in your "
            "certificate");
  EXPECT_THAT(ExplainFailure(ack, grpc::StatusCode::DEADLINE_EXCEEDED, "").message,
              HasSubstr("whether it was done is not known"));
  const std::string lead =
      "failed to connect to all addresses; last error: UNKNOWN: ipv4:1.2.3.4:1: ";
  const auto unavailable = [&](const CallSite& site, const std::string& words) {
    const Error error = ExplainFailure(site, grpc::StatusCode::UNAVAILABLE, words);
    EXPECT_EQ(error.code, ErrorCode::kUnavailable);
    return error.message;
  };
  EXPECT_EQ(unavailable(ack, lead + "Ssl handshake failed: SSL_ERROR_SSL: error:0A000086:SSL "
                                    "routines::certificate verify failed"),
            "cannot reach notifier at h:1: its certificate is expired or not signed by your "
            "authority; is ca the "
            "right one?");
  EXPECT_THAT(unavailable(ack, lead + "Peer name vm is not in peer certificate"),
              HasSubstr("is for another host name"));
  EXPECT_THAT(unavailable(ack, "empty address list: "),
              HasSubstr("do cert and key belong together?"));
  EXPECT_EQ(unavailable(ack, lead + "Endpoint read failed"),
            "cannot reach notifier at h:1: it closed the connection (Endpoint read failed); is "
            "your certificate "
            "valid and signed by the authority that it trusts; if it was under way, its effect is "
            "not known");
  EXPECT_THAT(unavailable(ack, lead + "Failed to connect to remote host: Connection refused"),
              HasSubstr("cannot reach notifier at h:1: connection refused"));
  EXPECT_THAT(unavailable(ack, "Redis at 127.0.0.1:6379: Connection refused"),
              HasSubstr("notifier at h:1 cannot serve this now: Redis at 127.0.0.1:6379"));
  const CallSite plain{"notifier", "127.0.0.1:1", "ListDeliveries", false, false};
  EXPECT_THAT(unavailable(plain, "Socket closed"), HasSubstr("no certificate is configured"));
}

}  // namespace
}  // namespace liveops::ctl
