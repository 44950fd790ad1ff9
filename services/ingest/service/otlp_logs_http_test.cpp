#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>

#include "liveops/v1/logs.pb.h"
#include "services/ingest/codec/otlp_logs_for_tests.h"
#include "services/ingest/service/http_for_tests.h"

namespace liveops::ingest {
namespace {

using testing::HasSubstr;

class OtlpLogsHttp : public Http {
 protected:
  httplib::Result Export(const std::string& body, const char* type) {
    return Post("/v1/logs", body, type);
  }
  // A line that is taken, and one that is not.
  static LogsRequest Lines() {
    LogsRequest request = LogsOf("shop");
    AddLine(request, kNow, 17, "card declined");
    AddLine(request, kNow + 60'000, 17, "from tomorrow");
    return request;
  }
};

TEST_F(OtlpLogsHttp, ProtobufIsAnsweredInProtobuf) {
  const auto answer = Export(Lines().SerializeAsString(), "application/x-protobuf");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse response;
  ASSERT_TRUE(response.ParseFromString(answer->body));
  EXPECT_EQ(response.partial_success().rejected_log_records(), 1);
  ASSERT_EQ(logs_->producer.count(), 1u);
  EXPECT_EQ(logs_->producer.sent[0].topic, "liveops.logs.v1");
  EXPECT_EQ(world_.producer.count(), 0u);
}

TEST_F(OtlpLogsHttp, JsonIsAnsweredInJson) {
  const auto answer = Export(
      R"({"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
          "scopeLogs":[{"logRecords":[{"timeUnixNano":"1770000000000000000","severityNumber":17,
          "body":{"stringValue":"card declined"},"traceId":"5b8efff798038103d269b633813fc60c"}]}]}]})",
      "application/json");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "{}");
  v1::LogBatch batch;
  ASSERT_TRUE(batch.ParseFromString(logs_->producer.sent.at(0).value));
  EXPECT_EQ(batch.records(0).trace_id().size(), 16u);
  EXPECT_EQ(batch.records(0).message(), "card declined");
}

TEST_F(OtlpLogsHttp, WhatIsNoRequestIsRefusedAndWhatHasNoRoomComesAgain) {
  EXPECT_EQ(Export("\x0a\x7f", "application/x-protobuf")->status, 400);
  const auto malformed = Export("{\"resourceLogs\": 5}", "application/json");
  EXPECT_EQ(malformed->status, 400);
  EXPECT_THAT(malformed->body, HasSubstr("ExportLogsServiceRequest"));
  logs_->producer.mode = FakeProducer::Mode::kFail;
  const auto later = Export(Lines().SerializeAsString(), "application/x-protobuf");
  EXPECT_EQ(later->status, 503);
  EXPECT_EQ(later->get_header_value("Retry-After"), "1");
}

}  // namespace
}  // namespace liveops::ingest
