// Deliveries of Firehose, from HTTP to the log's records.
#include <gmock/gmock.h>
#include <zlib.h>

#include <nlohmann/json.hpp>

#include "services/ingest/service/http_for_tests.h"
#include "services/ingest/source/cloudwatch_stream/stream_for_tests.h"

namespace liveops::ingest {
namespace {

using cloudwatch::AsJson;
using cloudwatch::AsOtlp;
using cloudwatch::Told;
using nlohmann::json;
using ::testing::HasSubstr;

std::string Base64(const std::string& bytes) {
  const char* const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) out += digits[bits >> (held - 6) & 63];
  }
  if (held > 0) out += digits[bits << (6 - held) & 63];
  while (out.size() % 4 != 0) out += '=';
  return out;
}

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

class CloudWatch : public Http {
 protected:
  httplib::Result Deliver(const std::vector<std::string>& records, httplib::Headers headers = {},
                          const std::string& id = "id-1") {
    json body = {{"requestId", id}, {"timestamp", kNow}, {"records", json::array()}};
    for (const std::string& record : records) body["records"].push_back({{"data", Base64(record)}});
    return Send(body.dump(), std::move(headers), id);
  }
  httplib::Result Send(const std::string& body, httplib::Headers headers, const std::string& id) {
    headers.emplace("X-Amz-Firehose-Protocol-Version", "1.0");
    headers.emplace("X-Amz-Firehose-Request-Id", id);
    return Post("/api/v1/cloudwatch", body, "application/json", headers);
  }
};

TEST_F(CloudWatch, ADeliveryStandsInTheLog) {
  const auto answer = Deliver({AsJson({Told{}}), AsOtlp({Told{}})});
  ASSERT_EQ(answer->status, 200) << answer->body;
  EXPECT_EQ(answer->get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(json::parse(answer->body)["requestId"], "id-1");
  EXPECT_TRUE(json::parse(answer->body)["timestamp"].is_number_integer());
  ASSERT_EQ(world_.producer.sent.size(), 1u);
  const v1::MetricBatch batch = world_.Sent(0).batch();
  EXPECT_EQ(batch.protocol(), v1::PROTOCOL_CLOUDWATCH);
  EXPECT_EQ(batch.service(), "cloudwatch");
  ASSERT_EQ(batch.point_value_size(), 2);
  EXPECT_EQ(batch.point_value(0), 400);
  EXPECT_EQ(batch.base_time_ms() + batch.point_time_delta_ms(0), kNow - 120'000);
  EXPECT_EQ(batch.point_duration_ms(0), 60'000u);
  EXPECT_EQ(batch.series_size(), 1) << "both formats tell the same series";
}

// Firehose tries again with the same id when an answer does not reach it: the log's readers know
// the record by its source, whichever instance wrote it.
TEST_F(CloudWatch, AnAttemptIsKnownByItsId) {
  ASSERT_EQ(Deliver({AsJson({Told{}})})->status, 200);
  ASSERT_EQ(Deliver({AsJson({Told{}})})->status, 200);
  ASSERT_EQ(Deliver({AsJson({Told{}})}, {}, "id-2")->status, 200);
  ASSERT_EQ(world_.producer.sent.size(), 3u);
  EXPECT_EQ(world_.Sent(0).source().SerializeAsString(),
            world_.Sent(1).source().SerializeAsString());
  EXPECT_EQ(world_.Sent(0).source().sequence(), 1u);
  EXPECT_NE(world_.Sent(0).source().session(), world_.Sent(2).source().session());
}

TEST_F(CloudWatch, WhatIsBadIsCountedAndTheRestIsTaken) {
  Told none;
  none.count = 0;
  Told unknown;
  unknown.metric = "NobodysCount";
  const auto answer = Deliver({"nonsense", AsJson({none, Told{}, unknown})});
  EXPECT_EQ(answer->status, 200);
  ASSERT_EQ(world_.producer.sent.size(), 1u);
  EXPECT_EQ(world_.Sent(0).batch().point_value_size(), 1);
  EXPECT_EQ(Counter("rejected_points.unsupported"), 3);
}

TEST_F(CloudWatch, WhatIsNoDelivery) {
  for (const char* body : {"", "x", "{}", R"({"requestId":"other","records":[]})"}) {
    const auto answer = Send(body, {}, "id-1");
    EXPECT_EQ(answer->status, 400) << body;
    EXPECT_TRUE(json::parse(answer->body)["errorMessage"].is_string());
    EXPECT_EQ(json::parse(answer->body)["requestId"], "id-1");
  }
  EXPECT_EQ(Post("/api/v1/cloudwatch", R"({"requestId":"a","records":[]})", "application/json",
                 {{"X-Amz-Firehose-Protocol-Version", "2.0"}})
                ->status,
            400);
  EXPECT_EQ(world_.producer.sent.size(), 0u);
}

TEST_F(CloudWatch, Gzipped) {
  const std::string body =
      json{{"requestId", "id-1"}, {"records", {{{"data", Base64(AsJson({Told{}}))}}}}}.dump();
  EXPECT_EQ(Send(Gzip(body), {{"Content-Encoding", "gzip"}}, "id-1")->status, 200);
  EXPECT_EQ(world_.producer.sent.size(), 1u);
  EXPECT_EQ(Send(body, {{"Content-Encoding", "gzip"}}, "id-1")->status, 400);
  EXPECT_EQ(Send(body, {{"Content-Encoding", "br"}}, "id-1")->status, 415);
  const std::string large = Gzip(std::string((1 << 20) + 1, ' '));
  EXPECT_EQ(Send(large, {{"Content-Encoding", "gzip"}}, "id-1")->status, 413);
}

TEST_F(CloudWatch, TheAccessKeyIsAToken) {
  settings_.tokens = {{"stream", "0123456789abcdef", {"shop"}}};
  Serve();
  const auto nobody = Deliver({AsJson({Told{}})});
  EXPECT_EQ(nobody->status, 401);
  EXPECT_TRUE(json::parse(nobody->body)["errorMessage"].is_string()) << nobody->body;
  EXPECT_EQ(
      Deliver({AsJson({Told{}})}, {{"X-Amz-Firehose-Access-Key", "0123456789abcdeg"}})->status,
      401);
  const httplib::Headers key = {{"X-Amz-Firehose-Access-Key", "0123456789abcdef"}};
  EXPECT_EQ(Deliver({AsJson({Told{}})}, key)->status, 200);
  ASSERT_EQ(world_.producer.sent.size(), 1u);
  EXPECT_EQ(world_.Sent(0).batch().service(), "shop") << "who may write one service means it";
  auto other = key;
  other.emplace("X-Amz-Firehose-Common-Attributes", R"({"commonAttributes":{"service":"pay"}})");
  const auto foreign = Deliver({AsJson({Told{}})}, other);
  EXPECT_EQ(foreign->status, 403) << "a stream that is set up wrongly is told";
  EXPECT_THAT(foreign->body, HasSubstr("pay"));
}

TEST_F(CloudWatch, WhoseTheMetricsAreIsConfigured) {
  settings_.cloudwatch.service = "edge";
  Told shop;
  shop.dimensions["TargetGroup"] = "targetgroup/shop/1";
  ASSERT_TRUE(settings_.cloudwatch.services.Set("TargetGroup=targetgroup/shop/*", "shop").ok());
  Serve();
  Told other;
  other.dimensions["TargetGroup"] = "targetgroup/x/1";
  ASSERT_EQ(Deliver({AsJson({shop, other})})->status, 200);
  ASSERT_EQ(world_.producer.sent.size(), 2u);
  EXPECT_EQ(world_.Sent(0).batch().service(), "shop");
  EXPECT_EQ(world_.Sent(1).batch().service(), "edge");
  EXPECT_EQ(world_.Sent(1).source().sequence(), 2u);
}

TEST_F(CloudWatch, NothingIsAnsweredBeforeKafkaAcknowledged) {
  world_.producer.mode = FakeProducer::Mode::kFail;
  EXPECT_EQ(Deliver({AsJson({Told{}})})->status, 503);
  world_.producer.is_connected = false;
  const auto answer = Deliver({AsJson({Told{}})});
  EXPECT_EQ(answer->status, 503);
  EXPECT_TRUE(json::parse(answer->body)["errorMessage"].is_string());
}

}  // namespace
}  // namespace liveops::ingest
