#include <gmock/gmock.h>

#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "services/ingest/codec/otlp_spans_for_tests.h"
#include "services/ingest/service/http_for_tests.h"

namespace liveops::ingest {
namespace {

using testing::HasSubstr;
using Response = opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;

class TracesHttp : public Http {
 protected:
  std::vector<CountedSpan> Slowest() {
    return spans_->slowest().List("shop", "", 5, std::chrono::steady_clock::now());
  }
};

TEST_F(TracesHttp, ProtobufIsAnsweredInProtobuf) {
  SpanRequest request;
  request.Add("GET /games", opentelemetry::proto::trace::v1::Span::SPAN_KIND_SERVER, 5);
  request.Add("old", opentelemetry::proto::trace::v1::Span::SPAN_KIND_SERVER, 5, -10'000'000);
  const auto answer =
      Post("/v1/traces", request.request.SerializeAsString(), "application/x-protobuf");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  Response response;
  ASSERT_TRUE(response.ParseFromString(answer->body));
  EXPECT_EQ(response.partial_success().rejected_spans(), 1);
  EXPECT_THAT(response.partial_success().error_message(), HasSubstr("1 span refused: too_old (1)"));
  ASSERT_EQ(world_.producer.count(), 1u);
  EXPECT_EQ(world_.Sent(0).batch().service(), "shop");
  EXPECT_EQ(Post("/v1/traces", "\x0a\x7f", "application/x-protobuf")->status, 400);
}

// As the specification writes it: enums as numbers, ids in hexadecimal.
TEST_F(TracesHttp, JsonHasItsIdsInHexadecimal) {
  const std::string json = R"({"resourceSpans": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
    "scopeSpans": [{"scope": {"name": "lib"}, "spans": [
      {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "EEE19B7EC3C1B174", "kind": 2,
       "name": "GET", "startTimeUnixNano": "1769999999990000000", "endTimeUnixNano": "1770000000000000000",
       "attributes": [{"key": "http.route", "value": {"stringValue": "/games"}}], "fromTomorrow": [1]},
      {"traceId": "abcd", "spanId": "", "kind": 5, "name": "job",
       "startTimeUnixNano": "1769999999000000000", "endTimeUnixNano": "1770000000000000000"}]}]}]})";
  const auto answer = Post("/v1/traces", json, "application/json");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200) << answer->body;
  EXPECT_EQ(answer->body, "{}");
  EXPECT_EQ(world_.Sent(0).batch().point_value_size(), 2);
  const auto slowest = Slowest();
  ASSERT_EQ(slowest.size(), 1u) << "what has no id cannot be looked up";
  EXPECT_EQ(slowest[0].operation, "/games");
  EXPECT_EQ(slowest[0].trace_id,
            "\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c");
  EXPECT_EQ(slowest[0].span_id, "\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74");
  EXPECT_EQ(Post("/v1/traces", "{\"resourceSpans\": 5}", "application/json")->status, 400);
}

TEST_F(TracesHttp, KafkaAwayIsTryAgain) {
  world_.producer.mode = FakeProducer::Mode::kFail;
  SpanRequest request;
  request.Add("GET /games", opentelemetry::proto::trace::v1::Span::SPAN_KIND_SERVER, 5);
  const auto answer =
      Post("/v1/traces", request.request.SerializeAsString(), "application/x-protobuf");
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->get_header_value("Retry-After"), "1");
}

}  // namespace
}  // namespace liveops::ingest
