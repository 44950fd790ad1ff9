#include "services/ingest/codec/otlp_logs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "liveops/v1/logs.pb.h"
#include "services/ingest/codec/log_batches.h"
#include "services/ingest/codec/otlp_json.h"
#include "services/ingest/codec/otlp_logs_for_tests.h"

namespace liveops::ingest {
namespace {

using admit::LogLine;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr std::int64_t kNow = 1'770'000'000'000;

OtlpLogs ReadBytes(const std::string& bytes, const admit::LogLimits& limits = {}) {
  auto read = ReadOtlpLogs(bytes, limits);
  EXPECT_TRUE(read.ok()) << read.error().message;
  return read.ok() ? *std::move(read) : OtlpLogs();
}
LogLine ReadOne(const LogsRequest& request, const admit::LogLimits& limits = {}) {
  OtlpLogs read = ReadBytes(request.SerializeAsString(), limits);
  EXPECT_EQ(read.lines, 1u);
  return read.groups.at(0).lines.at(0);
}

TEST(OtlpLogs, ALineIsReadWithAllThatItSays) {
  LogsRequest request = LogsOf("shop");
  SetAttribute(request.mutable_resource_logs(0)->mutable_resource()->mutable_attributes(),
               "service.instance.id", "shop-7");
  SetAttribute(request.mutable_resource_logs(0)->mutable_resource()->mutable_attributes(),
               "telemetry.sdk.name", "opentelemetry");
  OtlpLogRecord& record = AddLine(request, kNow, 17, "card declined");
  record.set_trace_id(std::string(16, '\x01'));
  record.set_span_id(std::string(8, '\x02'));
  SetAttribute(record.mutable_attributes(), "url.path", "/pay/42");
  SetAttribute(record.mutable_attributes(), "http.route", "/pay/:id");
  SetAttribute(record.mutable_attributes(), "exception.type", "CardError");
  auto& number = *record.add_attributes();
  number.set_key("attempt");
  number.mutable_value()->set_int_value(3);

  const OtlpLogs read = ReadBytes(request.SerializeAsString());
  ASSERT_EQ(read.groups.size(), 1u);
  EXPECT_EQ(read.groups[0].service, "shop");
  EXPECT_THAT(read.groups[0].resource, ElementsAre(Pair("service.instance.id", "shop-7")));
  const LogLine& line = read.groups[0].lines.at(0);
  EXPECT_EQ(line.time_ms, kNow);
  EXPECT_EQ(line.level, LogLevel::kError);
  EXPECT_EQ(line.message, "card declined");
  EXPECT_EQ(line.endpoint, "/pay/:id");
  EXPECT_EQ(line.trace_id, std::string(16, '\x01'));
  EXPECT_EQ(line.span_id, std::string(8, '\x02'));
  EXPECT_EQ(line.logger, "shop.payments");
  EXPECT_THAT(line.attributes,
              ElementsAre(Pair("exception.type", "CardError"), Pair("attempt", "3")));
  EXPECT_EQ(line.query_ms, 0);
}

TEST(OtlpLogs, WhatALineDoesNotSayIsTakenFromWhatItDoes) {
  LogsRequest request = LogsOf("");
  OtlpLogRecord& record = AddLine(request, 0, 0, "");
  record.clear_body();
  record.set_event_name("browser.crash");
  record.set_severity_text("WARNING");
  record.set_observed_time_unix_nano(static_cast<std::uint64_t>(kNow) * 1'000'000);
  record.set_trace_id("short");
  record.set_span_id("far too long");
  SetAttribute(record.mutable_attributes(), "http.target", "/pay?card=1");
  const OtlpLogs read = ReadBytes(request.SerializeAsString());
  EXPECT_EQ(read.groups.at(0).service, "unknown_service");
  const LogLine& line = read.groups[0].lines.at(0);
  EXPECT_EQ(line.time_ms, kNow);
  EXPECT_EQ(line.level, LogLevel::kWarn);
  EXPECT_EQ(line.message, "browser.crash");
  EXPECT_EQ(line.endpoint, "/pay");
  EXPECT_EQ(line.trace_id, "");
  EXPECT_EQ(line.span_id, "");
}

TEST(OtlpLogs, ABodyThatIsNoTextIsJson) {
  LogsRequest request = LogsOf("shop");
  OtlpLogRecord& record = AddLine(request, kNow, 9, "");
  auto& map = *record.mutable_body()->mutable_kvlist_value();
  SetAttribute(map.mutable_values(), "order", "7\"");
  EXPECT_EQ(ReadOne(request).message, R"({"order":"7\""})");
}

TEST(OtlpLogs, SlowQueriesAreRecognised) {
  LogsRequest request = LogsOf("shop");
  AddLine(request, kNow, 9, "LOG:  duration: 1234.5 ms  statement: SELECT 1");
  EXPECT_EQ(ReadOne(request).query_ms, 1234.5);
}

TEST(OtlpLogs, WhatIsTooLongIsCutAndWhatIsTooManyIsCounted) {
  LogsRequest request = LogsOf("shop");
  OtlpLogRecord& record = AddLine(request, kNow, 9, std::string(100, 'x'));
  for (int i = 0; i < 5; ++i)
    SetAttribute(record.mutable_attributes(), "k" + std::to_string(i), std::string(50, 'v'));
  const LogLine line = ReadOne(request, {20, 3, 128, 10});
  EXPECT_EQ(line.message, std::string(17, 'x') + "…");
  ASSERT_EQ(line.attributes.size(), 3u);
  EXPECT_EQ(line.attributes[2].second, std::string(7, 'v') + "…");
  EXPECT_EQ(line.dropped_attributes, 2u);
}

// As a collector in Go sends it, whose texts are not looked at.
TEST(OtlpLogs, ALineThatIsNotUtf8CostsNoOtherOne) {
  LogsRequest request = LogsOf("shop");
  SetAttribute(AddLine(request, kNow, 9, "caf?").mutable_attributes(), "k?", "v?");
  AddLine(request, kNow, 9, "fine");
  std::string bytes = request.SerializeAsString();
  std::replace(bytes.begin(), bytes.end(), '?', '\xe9');
  ASSERT_FALSE(LogsRequest().ParseFromString(bytes)) << "libprotobuf takes none of them";
  const OtlpLogs read = ReadBytes(bytes);
  ASSERT_EQ(read.lines, 2u);
  EXPECT_EQ(read.groups[0].lines[0].message, "caf\xEF\xBF\xBD");
  EXPECT_THAT(read.groups[0].lines[0].attributes,
              ElementsAre(Pair("k\xEF\xBF\xBD", "v\xEF\xBF\xBD")));
  EXPECT_EQ(read.groups[0].lines[1].message, "fine");
}

TEST(OtlpLogs, WhatIsMalformedIsRefused) {
  for (const char* bytes : {"\x0a\x7f", "\x0a", "garbage"}) {
    const auto read = ReadOtlpLogs(bytes, {});
    ASSERT_FALSE(read.ok()) << bytes;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(read.error().message, HasSubstr("ExportLogsServiceRequest"));
  }
  EXPECT_EQ(ReadBytes("").lines, 0u);
}

TEST(OtlpLogs, ThePartialSuccessNamesLogRecords) {
  EXPECT_FALSE(OtlpLogsResponse({}).has_partial_success());
  const auto response = OtlpLogsResponse({{admit::Refusal::kTooOld, 2, "an old line"}});
  EXPECT_EQ(response.partial_success().rejected_log_records(), 2);
  EXPECT_EQ(response.partial_success().error_message(),
            "2 log lines refused: too_old (2), e.g. an old line");
}

// As the SDK for JavaScript writes it.
TEST(OtlpLogs, InJsonIdsAreHexadecimal) {
  const auto binary = OtlpLogsOfJson(
      R"({"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}],
      "droppedAttributesCount":0},"scopeLogs":[{"scope":{"name":"shop.payments"},"logRecords":[{
      "timeUnixNano":"1770000000000000000","observedTimeUnixNano":"1770000000000000000",
      "severityNumber":17,"severityText":"ERROR","body":{"stringValue":"card 0 declined"},
      "attributes":[{"key":"attempt","value":{"intValue":3}}],"flags":1,"fromTomorrow":[1],
      "traceId":"5b8efff798038103d269b633813fc60c","spanId":"EEE19B7EC3C1B174"}]}]}]})");
  ASSERT_TRUE(binary.ok()) << binary.error().message;
  const OtlpLogs read = ReadBytes(*binary);
  const LogLine& line = read.groups.at(0).lines.at(0);
  EXPECT_EQ(line.trace_id, "\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c");
  EXPECT_EQ(line.span_id, "\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74");
  EXPECT_EQ(line.message, "card 0 declined");
  EXPECT_THAT(line.attributes, ElementsAre(Pair("attempt", "3")));
  EXPECT_EQ(IdOfOtlpJson("AAAAAAAAAAAA"), "") << "sixteen characters that are no digits";
  EXPECT_EQ(IdOfOtlpJson("short"), "");
  EXPECT_THAT(OtlpLogsOfJson("{\"resourceLogs\": 5}").error().message,
              HasSubstr("ExportLogsServiceRequest in JSON"));
}

TEST(LogBatches, HoldTheLinesInAsManyRecordsAsTheyNeed) {
  admit::LogGroup group{"shop", {{"host.name", "h"}}, {}};
  for (int i = 0; i < 10; ++i) {
    LogLine line;
    line.time_ms = kNow + i;
    line.level = LogLevel::kError;
    line.message = std::string(1000, static_cast<char>('a' + i));
    line.attributes = {{"k", "v"}};
    group.lines.push_back(line);
  }
  wire::Source source{"ingest-0/logs", 7, 5};
  const TimeMap map{RealFromMs(kNow), InstantFromMs(kNow), 10};
  const auto records = EncodeLogs(group, map, 3500, source);
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(source.sequence, 10u);
  int next = 0;
  std::uint64_t sequence = 5;
  for (const std::string& record : records) {
    EXPECT_LE(record.size(), 3500u);
    v1::LogBatch batch;
    ASSERT_TRUE(batch.ParseFromString(record));
    EXPECT_EQ(batch.service(), "shop");
    EXPECT_EQ(batch.source().sequence(), sequence++);
    EXPECT_EQ(batch.resource(0).value(), "h");
    for (const v1::LogRecord& line : batch.records()) {
      EXPECT_EQ(line.message()[0], 'a' + next);
      EXPECT_EQ(line.level(), v1::LOG_LEVEL_ERROR);
      EXPECT_EQ(line.time_ms(), kNow + 10 * next) << "domain time";
      ++next;
    }
  }
  EXPECT_EQ(next, 10);
  EXPECT_THAT(EncodeLogs({"shop", {}, {}}, map, 3500, source), IsEmpty());
}

}  // namespace
}  // namespace liveops::ingest
