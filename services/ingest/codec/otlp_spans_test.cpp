#include "services/ingest/codec/otlp_spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/labels.h"
#include "services/ingest/codec/otlp_spans_for_tests.h"

namespace liveops::ingest {
namespace {

namespace otlp = opentelemetry::proto::trace::v1;
using testing::ElementsAre;
using testing::HasSubstr;

OtlpSpans Read(const SpanRequest& request, std::size_t bytes_max = 700'000) {
  // What comes out views none of the bytes.
  auto read = ReadOtlpSpans(request.request.SerializeAsString(), bytes_max);
  EXPECT_TRUE(read.ok()) << read.error().message;
  return *std::move(read);
}

std::vector<std::string> LabelsOf(const OtlpSpans& spans) {
  std::vector<std::string> out;
  for (const OtlpBatch& batch : spans.batches.batches) {
    for (const std::uint32_t series : batch.point_series)
      out.push_back(Labels::Decode(batch.series[series].labels)->ToString());
  }
  return out;
}

TEST(OtlpSpans, WhereARequestOrAMessageEntersCountsOnce) {
  SpanRequest request;
  request.Add("GET /games", otlp::Span::SPAN_KIND_SERVER, 12.5);
  request.Add("handle", otlp::Span::SPAN_KIND_INTERNAL, 10);
  request.Add("SELECT", otlp::Span::SPAN_KIND_CLIENT, 3);
  request.Add("orders send", otlp::Span::SPAN_KIND_PRODUCER, 1);
  request.Add("orders process", otlp::Span::SPAN_KIND_CONSUMER, 40);
  request.Add("?", otlp::Span::SPAN_KIND_UNSPECIFIED, 1);
  const OtlpSpans read = Read(request);
  EXPECT_EQ(read.others, 4u);
  ASSERT_EQ(read.batches.batches.size(), 1u);
  const OtlpBatch& batch = read.batches.batches[0];
  EXPECT_EQ(batch.service, "shop");
  EXPECT_THAT(batch.point_value, ElementsAre(12.5, 40));
  EXPECT_THAT(batch.point_duration_ms, ElementsAre(0, 0));
  EXPECT_EQ(batch.base_time_ms, kSpanEndMs);
  ASSERT_EQ(batch.series.size(), 2u);
  EXPECT_EQ(batch.series[0].kind, static_cast<int>(admit::SeriesKind::kObservation));
  EXPECT_EQ(batch.strings[batch.series[0].metric], "traces.span.metrics.duration");
  EXPECT_EQ(batch.strings[batch.series[0].unit], "ms");
  EXPECT_THAT(LabelsOf(read), ElementsAre("{span.kind=\"SPAN_KIND_SERVER\",span.name=\"GET "
                                          "/games\",status.code=\"STATUS_CODE_UNSET\"}",
                                          "{span.kind=\"SPAN_KIND_CONSUMER\",span.name=\"orders "
                                          "process\",status.code=\"STATUS_CODE_UNSET\"}"));
}

TEST(OtlpSpans, TheOperationIsTheRouteAndTheClassThatOfTheStatus) {
  SpanRequest request;
  otlp::Span& now = request.Add("GET", otlp::Span::SPAN_KIND_SERVER, 1);
  AddAttribute(now, "http.route", "/games/:id");
  AddAttribute(now, "http.request.method", "GET");
  AddAttribute(now, "http.response.status_code", 404);
  AddAttribute(now, "url.path", "/games/7");
  otlp::Span& old = request.Add("HTTP PUT", otlp::Span::SPAN_KIND_SERVER, 1);
  AddAttribute(old, "http.route", "/games/:id");
  AddAttribute(old, "http.method", "PUT");
  AddAttribute(old, "http.status_code", 503);
  otlp::Span& routed = request.Add("x", otlp::Span::SPAN_KIND_SERVER, 1);
  AddAttribute(routed, "http.route", "/");
  AddAttribute(routed, "http.status_code", 9999);
  routed.mutable_status()->set_code(otlp::Status::STATUS_CODE_OK);
  otlp::Span& failed = request.Add("job", otlp::Span::SPAN_KIND_CONSUMER, 1);
  failed.mutable_status()->set_code(otlp::Status::STATUS_CODE_ERROR);
  const OtlpSpans read = Read(request);
  EXPECT_THAT(
      LabelsOf(read),
      ElementsAre("{span.kind=\"SPAN_KIND_SERVER\",span.name=\"GET "
                  "/games/:id\",status.class=\"4xx\",status.code=\"STATUS_CODE_UNSET\"}",
                  "{span.kind=\"SPAN_KIND_SERVER\",span.name=\"PUT "
                  "/games/:id\",status.class=\"5xx\",status.code=\"STATUS_CODE_ERROR\"}",
                  "{span.kind=\"SPAN_KIND_SERVER\",span.name=\"/\",status.code=\"STATUS_CODE_OK\"}",
                  "{span.kind=\"SPAN_KIND_CONSUMER\",span.name=\"job\",status.code=\"STATUS_CODE_"
                  "ERROR\"}"));
  EXPECT_TRUE(read.spans[1].error);
  EXPECT_FALSE(read.spans[2].error);
}

TEST(OtlpSpans, AreInTheOrderOfTheirEndsWhateverProcessTheyAreOf) {
  SpanRequest request;
  request.Add("a", otlp::Span::SPAN_KIND_SERVER, 1, 300);
  request.Add("b", otlp::Span::SPAN_KIND_SERVER, 2, 100);
  request.Resource("bank");
  request.Add("c", otlp::Span::SPAN_KIND_SERVER, 3, 50);
  request.Resource("shop");
  request.Add("d", otlp::Span::SPAN_KIND_SERVER, 4, 200);
  const OtlpSpans read = Read(request);
  ASSERT_EQ(read.batches.batches.size(), 2u);
  EXPECT_EQ(read.batches.batches[0].service, "bank");
  EXPECT_THAT(read.batches.batches[1].point_value, ElementsAre(2, 4, 1));
  EXPECT_THAT(read.batches.batches[1].point_time_delta_ms, ElementsAre(0, 100, 200));
  std::vector<std::string> operations;
  for (const CountedSpan& span : read.spans) operations.push_back(span.operation);
  EXPECT_THAT(operations, ElementsAre("c", "b", "d", "a"));
}

TEST(OtlpSpans, RefusesWhatHasNoDuration) {
  SpanRequest request;
  request.Add("a", otlp::Span::SPAN_KIND_SERVER, 1).set_start_time_unix_nano(0);
  otlp::Span& back = request.Add("b", otlp::Span::SPAN_KIND_SERVER, 1);
  back.set_start_time_unix_nano(back.end_time_unix_nano() + 1);
  request.Add("c", otlp::Span::SPAN_KIND_SERVER, 0);
  const OtlpSpans read = Read(request);
  ASSERT_EQ(read.batches.rejections.size(), 1u);
  EXPECT_EQ(read.batches.rejections[0].reason, admit::Refusal::kBadStart);
  EXPECT_EQ(read.batches.rejections[0].points, 2u);
  EXPECT_EQ(read.batches.refused.at("shop"), 2u);
  EXPECT_EQ(read.spans.size(), 1u);
}

TEST(OtlpSpans, SplitsWhatWouldNotFitARecord) {
  SpanRequest request;
  for (int i = 0; i < 400; ++i)
    request.Add("operation " + std::to_string(i), otlp::Span::SPAN_KIND_SERVER, i);
  const OtlpSpans read = Read(request, 10'000);
  EXPECT_GT(read.batches.batches.size(), 2u);
  EXPECT_EQ(LabelsOf(read).size(), 400u);
}

TEST(OtlpSpans, WithoutAServiceNameItIsUnknownAndWhatIsNoRequestIsInvalid) {
  SpanRequest request("");
  request.Add("a", otlp::Span::SPAN_KIND_SERVER, 1);
  EXPECT_EQ(Read(request).batches.batches.at(0).service, "unknown_service");
  const auto broken = ReadOtlpSpans("\x0a\x7f", 1000);
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(broken.error().message, HasSubstr("ExportTraceServiceRequest"));
}

}  // namespace
}  // namespace liveops::ingest
