#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <thread>

#include "liveops/v1/status.pb.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.grpc.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.grpc.pb.h"
#include "services/ingest/codec/otlp_logs_for_tests.h"
#include "services/ingest/service/grpc_for_tests.h"

namespace liveops::ingest {
namespace {

using testing::HasSubstr;

bool SaysWhenToRetry(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::RetryInfo retry;
  return details.ParseFromString(status.error_details()) && details.details_size() == 1 &&
         details.details(0).UnpackTo(&retry) && retry.retry_delay().seconds() >= 1;
}

TEST_F(Grpc, WriteAnswersWithSequenceAndRejections) {
  v1::WriteRequest request = Request(9);
  request.mutable_batch()->add_point_series(7);
  request.mutable_batch()->add_point_time_delta_ms(0);
  request.mutable_batch()->add_point_value(1);
  v1::WriteResponse response;
  const grpc::Status status = Write(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.accepted_points(), 1u);
  EXPECT_EQ(response.sequence(), 9u);
  ASSERT_EQ(response.rejections_size(), 1);
  EXPECT_EQ(response.rejections(0).reason(), "unknown_series");
}

TEST_F(Grpc, WriteIsHeldUntilKafkaAcknowledged) {
  producer_.mode = FakeProducer::Mode::kHold;
  std::atomic<bool> answered = false;
  grpc::Status status;
  std::thread sender([&] {
    v1::WriteResponse response;
    status = Write(Request(1), &response);
    answered = true;
  });
  while (producer_.count() == 0) std::this_thread::yield();
  EXPECT_FALSE(answered);
  producer_.Release(true);
  sender.join();
  EXPECT_TRUE(status.ok());
}

TEST_F(Grpc, KafkaAwayIsUnavailableWithRetryInfo) {
  producer_.mode = FakeProducer::Mode::kFail;
  v1::WriteResponse response;
  const grpc::Status status = Write(Request(1), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(SaysWhenToRetry(status));

  grpc::ClientContext context;
  OtlpRequest request;
  auto* const point = request.add_resource_metrics()
                          ->add_scope_metrics()
                          ->add_metrics()
                          ->mutable_gauge()
                          ->add_data_points();
  point->set_time_unix_nano(static_cast<std::uint64_t>(kNow) * 1'000'000);
  point->set_as_int(1);
  request.mutable_resource_metrics(0)->mutable_scope_metrics(0)->mutable_metrics(0)->set_name(
      "cpu");
  collector::ExportMetricsServiceResponse otlp_response;
  const grpc::Status exported = otlp_->Export(&context, request, &otlp_response);
  EXPECT_EQ(exported.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(SaysWhenToRetry(exported));
}

TEST_F(Grpc, BadRequestsAreInvalid) {
  v1::WriteRequest request = Request(0);
  v1::WriteResponse response;
  EXPECT_EQ(Write(request, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  request = Request(1);
  request.mutable_batch()->add_point_value(1);
  EXPECT_EQ(Write(request, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(producer_.sent.empty());
}

TEST_F(Grpc, AStreamAnswersWithTheSum) {
  grpc::ClientContext context;
  v1::WriteStreamResponse response;
  const auto writer = ingest_->WriteStream(&context, &response);
  constexpr std::uint64_t kBatches = 200;
  for (std::uint64_t i = 1; i <= kBatches; ++i) ASSERT_TRUE(writer->Write(Request(i)));
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.batches(), kBatches);
  EXPECT_EQ(response.accepted_points(), kBatches);
  ASSERT_EQ(producer_.count(), kBatches);
  for (std::uint64_t i = 0; i < kBatches; ++i) {  // in the order sent
    v1::ShardRecord record;
    ASSERT_TRUE(record.ParseFromString(producer_.sent[i].value));
    EXPECT_EQ(record.source().sequence(), i + 1);
  }
}

TEST_F(Grpc, AStreamReadsNoFurtherThanKafkaTakes) {
  producer_.mode = FakeProducer::Mode::kHold;
  grpc::ClientContext context;
  v1::WriteStreamResponse response;
  const auto writer = ingest_->WriteStream(&context, &response);
  for (std::uint64_t i = 1; i <= 100; ++i) ASSERT_TRUE(writer->Write(Request(i)));
  writer->WritesDone();
  while (producer_.count() < 32) std::this_thread::yield();
  EXPECT_EQ(producer_.count(), 32u);
  {
    const std::lock_guard lock(producer_.mutex);
    producer_.mode = FakeProducer::Mode::kAnswer;
  }
  std::vector<FakeProducer::Sent> held;
  {
    const std::lock_guard lock(producer_.mutex);
    held.assign(producer_.sent.begin(), producer_.sent.begin() + 32);
  }
  for (const auto& record : held) producer_.Answer(record, true);
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(response.batches(), 100u);
}

TEST_F(Grpc, AStreamEndsWithItsFirstError) {
  for (const bool lost : {true, false}) {
    grpc::ClientContext context;
    v1::WriteStreamResponse response;
    const auto writer = ingest_->WriteStream(&context, &response);
    {
      const std::lock_guard lock(producer_.mutex);
      producer_.mode = lost ? FakeProducer::Mode::kFail : FakeProducer::Mode::kAnswer;
    }
    writer->Write(Request(1));
    writer->Write(Request(lost ? 2 : 0));
    writer->WritesDone();
    EXPECT_EQ(writer->Finish().error_code(),
              lost ? grpc::StatusCode::UNAVAILABLE : grpc::StatusCode::INVALID_ARGUMENT);
  }
}

TEST_F(Grpc, AStreamThatIsCancelledLeavesCleanly) {
  producer_.mode = FakeProducer::Mode::kHold;
  {
    grpc::ClientContext context;
    v1::WriteStreamResponse response;
    const auto writer = ingest_->WriteStream(&context, &response);
    writer->Write(Request(1));
    while (producer_.count() == 0) std::this_thread::yield();
    context.TryCancel();
    EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  producer_.Release(true);
}

TEST_F(Grpc, OtlpTellsWhatItDidNotTake) {
  OtlpRequest request;
  auto* const metrics = request.add_resource_metrics()->add_scope_metrics();
  auto* metric = metrics->add_metrics();
  metric->set_name("cpu");
  auto* const point = metric->mutable_gauge()->add_data_points();
  point->set_time_unix_nano(static_cast<std::uint64_t>(kNow) * 1'000'000);
  point->set_as_double(1);
  collector::ExportMetricsServiceResponse response;
  {
    grpc::ClientContext context;
    context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    ASSERT_TRUE(otlp_->Export(&context, request, &response).ok());
    EXPECT_FALSE(response.has_partial_success());
  }
  metric = metrics->add_metrics();
  metric->set_name("sizes");
  metric->mutable_summary()->add_data_points();
  grpc::ClientContext context;
  ASSERT_TRUE(otlp_->Export(&context, request, &response).ok());
  EXPECT_EQ(response.partial_success().rejected_data_points(), 1);
  EXPECT_THAT(response.partial_success().error_message(), HasSubstr("summaries are not taken"));
  EXPECT_EQ(producer_.count(), 2u);
}

TEST_F(Grpc, ReportsDeployments) {
  grpc::ClientContext context;
  v1::ReportDeploymentRequest request;
  request.set_service("backend-api");
  request.set_revision("43");
  v1::ReportDeploymentResponse response;
  ASSERT_TRUE(ingest_->ReportDeployment(&context, request, &response).ok());
  v1::ShardRecord record;
  ASSERT_TRUE(record.ParseFromString(producer_.sent.at(0).value));
  EXPECT_EQ(record.deployment().actor(), "local");
}

TEST_F(Grpc, TakesOtlpsLogs) {
  const auto stub =
      opentelemetry::proto::collector::logs::v1::LogsService::NewStub(rpc::Connect(address(), {}));
  LogsRequest request = LogsOf("shop");
  AddLine(request, kNow, 17, "card declined");
  AddLine(request, kNow + 60'000, 17, "from tomorrow");
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse response;
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  ASSERT_TRUE(stub->Export(&context, request, &response).ok());
  EXPECT_EQ(response.partial_success().rejected_log_records(), 1);
  EXPECT_THAT(response.partial_success().error_message(), HasSubstr("future (1)"));
  EXPECT_EQ(logs_.producer.count(), 1u);

  logs_.producer.mode = FakeProducer::Mode::kFail;
  grpc::ClientContext again;
  const grpc::Status status = stub->Export(&again, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(SaysWhenToRetry(status));
}

}  // namespace
}  // namespace liveops::ingest
