// Reports of costs, from HTTP to the log's records.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "services/ingest/service/http_for_tests.h"

namespace liveops::ingest {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class Cost : public Http {
 protected:
  static std::string Line(std::int64_t end_ms, const std::string& cost) {
    return FormatUtc(end_ms - 3'600'000) + "," + FormatUtc(end_ms) + "," + cost + ",AmazonEC2\n";
  }
  static std::string Report(const std::string& lines) {
    return "ChargePeriodStart,ChargePeriodEnd,BilledCost,ServiceName\n" + lines;
  }
  httplib::Result Send(const std::string& report, const httplib::Headers& headers = {}) {
    return Post("/api/v1/cost", report, "text/csv", headers);
  }
  static constexpr std::int64_t kSettled = kNow / 3'600'000 * 3'600'000 - 24 * 3'600'000;
};

TEST_F(Cost, AReportStandsInTheLog) {
  const auto answer = Send(Report(Line(kSettled, "1.5") + Line(kSettled, "1") +
                                  Line(kSettled - 3'600'000, "2") + Line(kNow, "9")));
  ASSERT_EQ(answer->status, 200) << answer->body;
  EXPECT_EQ(json::parse(answer->body),
            json::parse(R"({"lines":4,"taken":3,"old":0,"unsettled":1,"bad":0,"points":2})"));
  ASSERT_EQ(world_.producer.sent.size(), 1u);
  const v1::ShardRecord record = world_.Sent(0);
  EXPECT_EQ(record.source().sequence(), 0u) << "the reader goes by series and time";
  const v1::MetricBatch& batch = record.batch();
  EXPECT_EQ(batch.protocol(), v1::PROTOCOL_COST);
  EXPECT_EQ(batch.service(), "cost");
  ASSERT_EQ(batch.point_value_size(), 2);
  EXPECT_EQ(batch.point_value(0), 2);
  EXPECT_EQ(batch.point_value(1), 2.5);
  EXPECT_EQ(batch.base_time_ms() + batch.point_time_delta_ms(1), kSettled);
  EXPECT_EQ(batch.point_duration_ms(1), 3'600'000u);
  EXPECT_EQ(batch.series_size(), 1) << "spelled once";
  EXPECT_EQ(batch.series(0).kind(), v1::SERIES_KIND_OBSERVATION);
  EXPECT_EQ(batch.strings(static_cast<int>(batch.series(0).unit())), "USD");
}

TEST_F(Cost, BadLinesAreAnsweredWithTheirNumbers) {
  const auto answer = Send(Report(Line(kSettled, "1") + Line(kSettled, "x")));
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->body, HasSubstr("line 3: BilledCost is \\\"x\\\", expected a number"));
  const auto all_bad = Send(Report(Line(kSettled, "x")));
  EXPECT_EQ(all_bad->status, 400);
  EXPECT_THAT(all_bad->body, HasSubstr("line 2: BilledCost"));
  const auto none = Send("hello");
  EXPECT_EQ(none->status, 400);
  EXPECT_THAT(none->body, HasSubstr("names no column"));
}

TEST_F(Cost, WhoMayWriteOneServiceMeansItAndNoOther) {
  settings_.tokens = {{"bill", "0123456789abcdef", {"shop"}},
                      {"two", "0123456789abcdeg", {"a", "b"}}};
  Serve();
  EXPECT_EQ(Send(Report(Line(kSettled, "1")))->status, 401);
  EXPECT_EQ(
      Send(Report(Line(kSettled, "1")), {{"Authorization", "Bearer 0123456789abcdef"}})->status,
      200);
  EXPECT_EQ(world_.Sent(0).batch().service(), "shop");
  const auto foreign =
      Send(Report(Line(kSettled, "1")), {{"Authorization", "Bearer 0123456789abcdeg"}});
  EXPECT_EQ(foreign->status, 403);
  EXPECT_THAT(foreign->body, HasSubstr("foreign_service"));
}

TEST_F(Cost, KafkaAwayAndTooMuchMayComeAgain) {
  world_.producer.mode = FakeProducer::Mode::kFail;
  const auto away = Send(Report(Line(kSettled, "1")));
  EXPECT_EQ(away->status, 503);
  EXPECT_NE(away->get_header_value("Retry-After"), "");
  world_.producer.mode = FakeProducer::Mode::kAnswer;
  settings_.cost_report_bytes_max = 100;
  Serve();
  EXPECT_EQ(Send(Report(Line(kSettled, "1")), {{"Content-Encoding", "zip"}})->status, 415);
}

// Their times say nothing of the present: another emitter's points are judged as before.
TEST_F(Cost, OtherPointsOfThatAgeAreStillTooOld) {
  ASSERT_EQ(Send(Report(Line(kSettled, "1")))->status, 200);
  v1::WriteRequest old = Request();
  old.mutable_batch()->set_base_time_ms(kSettled);
  world_.Write(old);
  ASSERT_TRUE(world_.last->ok());
  EXPECT_EQ((*world_.last)->accepted_points, 0u);
}

}  // namespace
}  // namespace liveops::ingest
