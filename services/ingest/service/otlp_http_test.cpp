#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <zlib.h>

#include "common/runtime/exemplars.h"
#include "google/rpc/status.pb.h"
#include "services/ingest/service/http_for_tests.h"

namespace liveops::ingest {
namespace {

using testing::HasSubstr;
using Response = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceResponse;

constexpr const char* kProtobuf = "application/x-protobuf";
constexpr const char* kJson = "application/json";

std::string Gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
            Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

class OtlpHttp : public Http {
 protected:
  httplib::Result Export(const std::string& body, const char* type,
                         const httplib::Headers& headers = {}) {
    return Post("/v1/metrics", body, type, headers);
  }
  // A cpu gauge that is taken, and a summary that is not.
  static std::string Body() { return OtlpOf({"shop"}).SerializeAsString(); }
};

TEST_F(OtlpHttp, ProtobufIsAnsweredInProtobuf) {
  const auto answer = Export(Body(), kProtobuf);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type"), kProtobuf);
  Response response;
  ASSERT_TRUE(response.ParseFromString(answer->body));
  EXPECT_EQ(response.partial_success().rejected_data_points(), 1);
  EXPECT_THAT(response.partial_success().error_message(), HasSubstr("unsupported (1)"));
  ASSERT_EQ(world_.producer.count(), 1u);
  EXPECT_EQ(world_.Sent(0).batch().protocol(), v1::PROTOCOL_OTLP);
  EXPECT_EQ(world_.Sent(0).batch().service(), "shop");
}

TEST_F(OtlpHttp, JsonIsAnsweredInJson) {
  // As the specification writes it: camel case, 64-bit numbers as text, enums as numbers, fields
  // that nobody knows.
  const std::string json = R"({"resourceMetrics": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
    "scopeMetrics": [{"scope": {"name": "lib"}, "metrics": [
      {"name": "requests", "unit": "1", "sum": {"aggregationTemporality": 1, "isMonotonic": true,
        "dataPoints": [{"startTimeUnixNano": "1769999999000000000",
                        "timeUnixNano": "1770000000000000000", "asInt": "7", "fromTomorrow": {"a": [1]},
                        "attributes": [{"key": "code", "value": {"intValue": "200"}}],
                        "exemplars": [{"spanId": "eee19b7ec3c1b174", "asInt": "9",
                                       "timeUnixNano": "1769999999500000000",
                                       "traceId": "5b8efff798038103d269b633813fc60c"}]}]}}]}]}]})";
  const auto answer = Export(json, "application/json; charset=utf-8");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type"), kJson);
  EXPECT_EQ(answer->body, "{}");
  const v1::ShardRecord record = world_.Sent(0);
  EXPECT_EQ(record.batch().series(0).kind(), v1::SERIES_KIND_COUNTER_DELTA);
  EXPECT_EQ(record.batch().point_value(0), 7);
  EXPECT_EQ(record.batch().point_duration_ms(0), 1000u);
  const std::vector<v1::Exemplar> exemplars = world_.Exemplars();
  ASSERT_EQ(exemplars.size(), 1u);
  EXPECT_EQ(exemplars[0].value(), 9);
  EXPECT_EQ(runtime::TraceIdOf(exemplars[0]), "5b8efff798038103d269b633813fc60c");
  EXPECT_EQ(exemplars[0].span_id(), "\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74");
}

TEST_F(OtlpHttp, APartialSuccessInJson) {
  std::string json;
  ASSERT_TRUE(google::protobuf::util::MessageToJsonString(OtlpOf({"shop"}), &json).ok());
  const auto answer = Export(json, kJson);
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->body, HasSubstr("\"partialSuccess\""));
  EXPECT_THAT(answer->body, HasSubstr("\"rejectedDataPoints\":\"1\""));
}

TEST_F(OtlpHttp, GzipIsInflatedWithinTheLimit) {
  EXPECT_EQ(Export(Gzip(Body()), kProtobuf, {{"Content-Encoding", "gzip"}})->status, 200);
  EXPECT_EQ(world_.producer.count(), 1u);
  // 256 MiB in 260 KB.
  const std::string bomb = Gzip(std::string(256 << 20, '\0'));
  ASSERT_LT(bomb.size(), 1u << 20);
  EXPECT_EQ(Export(bomb, kProtobuf, {{"Content-Encoding", "gzip"}})->status, 413);
  EXPECT_EQ(Export(bomb.substr(0, 100), kProtobuf, {{"Content-Encoding", "gzip"}})->status, 400);
  EXPECT_EQ(Export("not gzip", kProtobuf, {{"Content-Encoding", "gzip"}})->status, 400);
  const auto deflated = Export(Body(), kProtobuf, {{"Content-Encoding", "deflate"}});
  EXPECT_EQ(deflated->status, 415);
  EXPECT_THAT(deflated->body,
              HasSubstr("the content encoding \"deflate\" is not taken; gzip and identity are"));
}

TEST_F(OtlpHttp, FailuresAreStatusMessages) {
  auto answer = Export("\x0a\x7f", kProtobuf);
  EXPECT_EQ(answer->status, 400);
  google::rpc::Status status;
  ASSERT_TRUE(status.ParseFromString(answer->body));
  EXPECT_EQ(status.code(), 3);
  EXPECT_THAT(status.message(), HasSubstr("ExportMetricsServiceRequest"));
  answer = Export("{\"resourceMetrics\": 5}", kJson);
  EXPECT_EQ(answer->status, 400);
  EXPECT_THAT(answer->body, HasSubstr("\"code\":3"));
  EXPECT_EQ(Export("{", kJson)->status, 400);
  const auto plain = Export(Body(), "text/plain");
  EXPECT_EQ(plain->status, 415);
  EXPECT_THAT(plain->body,
              HasSubstr("the content type \"text/plain\" is not taken; OTLP/HTTP takes "
                        "application/x-protobuf and application/json"));
}

TEST_F(OtlpHttp, JsonOfAnyDepthIsReadOrRefused) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{\"arrayValue\":{\"values\":[";
  const std::string json =
      R"({"resourceMetrics":[{"resource":{"attributes":[{"key":"a","value":)" + deep;
  const auto answer = Export(json.substr(0, 900'000), kJson);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400);
  EXPECT_EQ(Export(Body(), kProtobuf)->status, 200) << "and it serves on";
}

TEST_F(OtlpHttp, KafkaAwayIsTryAgain) {
  world_.producer.mode = FakeProducer::Mode::kFail;
  const auto answer = Export(Body(), kProtobuf);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->get_header_value("Retry-After"), "1");
  google::rpc::Status status;
  ASSERT_TRUE(status.ParseFromString(answer->body));
  EXPECT_EQ(status.code(), 14);
}

TEST_F(OtlpHttp, WhoShowsNoTokenIsNobody) {
  settings_.tokens = {{"collector", "0123456789abcdef", {}}};
  Serve();
  const auto answer = Export(Body(), kJson);
  EXPECT_EQ(answer->status, 401);
  EXPECT_EQ(answer->get_header_value("WWW-Authenticate", 0), "Basic realm=\"LiveOps\"");
  EXPECT_EQ(answer->get_header_value("WWW-Authenticate", 1), "Bearer");
  EXPECT_THAT(answer->body, HasSubstr("\"code\":16"));
  EXPECT_EQ(Export(Body(), kProtobuf, {{"Authorization", "Bearer 0123456789abcdef"}})->status, 200);
  EXPECT_EQ(world_.Sent(0).source().emitter(), "collector");
}

}  // namespace
}  // namespace liveops::ingest
