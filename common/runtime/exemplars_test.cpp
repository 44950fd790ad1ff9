#include "common/runtime/exemplars.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kClock = 1'770'000'000'000;

v1::Exemplar Span(const std::string& trace, double took, const std::string& operation = "GET /a",
                  const std::string& status = "STATUS_CODE_UNSET", std::int64_t before_ms = 1000) {
  v1::Exemplar out;
  out.set_metric("traces.span.metrics.duration");
  out.set_trace_id(trace);
  out.set_value(took);
  out.set_time_ms(kClock - before_ms);
  const auto label = [&](const char* name, const std::string& value) {
    out.add_labels()->set_name(name);
    out.mutable_labels()->rbegin()->set_value(value);
  };
  label("span.name", operation);
  label("status.code", status);
  return out;
}

// Firing, on the last minute, at once.
v1::AlarmTransition Alarm(const std::string& expression) {
  v1::AlarmTransition out;
  out.set_state(v1::ALARM_STATE_FIRING);
  out.set_expression(expression);
  out.set_clock_ms(kClock);
  out.set_since_ms(kClock);
  out.set_window_ms(60'000);
  return out;
}

std::vector<std::string> Traces(const v1::AlarmTransition& alarm,
                                const std::vector<v1::Exemplar>& all) {
  std::vector<std::string> out;
  for (const v1::Exemplar& e : TellingExemplars(alarm, all, 3)) out.push_back(e.trace_id());
  return out;
}

const char* const kSlow = "p95(traces.span.metrics.duration) over 1min > 500ms for 0s";
const char* const kErrors =
    "ratio(traces.span.metrics.duration{status.code=\"STATUS_CODE_ERROR\"}, "
    "traces.span.metrics.duration) over 1min > 1% for 0s";

TEST(Exemplars, OfALatencyAlarmTheSlowestEachTraceOnce) {
  const std::vector<v1::Exemplar> all = {Span("a", 10),  Span("b", 900), Span("b", 800),
                                         Span("c", 700), Span("d", 600), Span("e", 500)};
  EXPECT_THAT(Traces(Alarm(kSlow), all), ElementsAre("b", "c", "d"));
}

TEST(Exemplars, OfAnErrorRatioTheFailed) {
  const std::vector<v1::Exemplar> all = {Span("ok", 900),
                                         Span("bad", 5, "GET /a", "STATUS_CODE_ERROR")};
  EXPECT_THAT(Traces(Alarm(kErrors), all), ElementsAre("bad"));
  const char* const good =
      "shortfall(traces.span.metrics.duration{status.code!=\"STATUS_CODE_ERROR\"}, "
      "traces.span.metrics.duration) over 1min > 1% for 0s";
  EXPECT_THAT(Traces(Alarm(good), all), ElementsAre("bad"));
}

// As ingest keeps those of Prometheus' classic histograms: without the bucket in which they came.
TEST(Exemplars, OfAClassicHistogramByTheirValue) {
  const auto took = [](const char* trace, double seconds) {
    v1::Exemplar out = Span(trace, seconds);
    out.set_metric("http_request_duration_seconds_bucket");
    return out;
  };
  const std::vector<v1::Exemplar> all = {took("fast", 0.5), took("slow", 2)};
  EXPECT_THAT(Traces(Alarm("shortfall(http_request_duration_seconds_bucket{le=\"0.5\"}, "
                           "http_request_duration_seconds_count) over 1min > 1% for 0s"),
                     all),
              ElementsAre("slow"));
  EXPECT_THAT(Traces(Alarm("rate(http_request_duration_seconds_bucket{le=\"0.5\"}) per min over "
                           "1min > 5/min for 0s"),
                     all),
              ElementsAre("fast"));
  EXPECT_THAT(Traces(Alarm("rate(http_request_duration_seconds_bucket{le=\"+Inf\"}) per min over "
                           "1min > 5/min for 0s"),
                     all),
              ElementsAre("slow", "fast"));
  EXPECT_THAT(Traces(Alarm("rate(http_request_duration_seconds_created) per min over 1min > "
                           "5/min for 0s"),
                     all),
              IsEmpty());
}

TEST(Exemplars, OfTheAlarmsGroupAlone) {
  v1::AlarmTransition alarm =
      Alarm("p95(traces.span.metrics.duration) by span.name over 1min > 500ms for 0s");
  alarm.add_group()->set_name("span.name");
  alarm.mutable_group(0)->set_value("GET /b");
  EXPECT_THAT(Traces(alarm, {Span("a", 900), Span("b", 600, "GET /b")}), ElementsAre("b"));
}

TEST(Exemplars, OfTheTimeInWhichItBecameTrue) {
  v1::AlarmTransition alarm = Alarm(kSlow);
  const auto at = [](const char* trace, std::int64_t before_ms) {
    return Span(trace, 900, "GET /a", "", before_ms);
  };
  EXPECT_THAT(Traces(alarm, {at("old", 60'000), at("new", 59'999), at("ahead", -10'001)}),
              ElementsAre("new"));
  alarm.set_since_ms(kClock - 300'000);
  EXPECT_THAT(Traces(alarm, {at("old", 360'000), at("new", 359'999)}), ElementsAre("new"));
}

TEST(Exemplars, ALaterTestShowsWhatTheFirstCannot) {
  const std::string both = "rate(log_events) per 1min over 1min > 5/min and " + std::string(kSlow);
  EXPECT_THAT(Traces(Alarm(both), {Span("a", 900)}), ElementsAre("a"));
}

TEST(Exemplars, NoneWhereTheyWouldShowNothing) {
  const std::vector<v1::Exemplar> all = {Span("a", 900)};
  EXPECT_THAT(Traces(Alarm("p95(http_ms) over 1min > 500ms for 0s"), all), IsEmpty());
  EXPECT_THAT(Traces(Alarm("count(traces.span.metrics.duration) over 1min < 10 for 0s"), all),
              IsEmpty());
  EXPECT_THAT(Traces(Alarm("p95(traces.span.metrics.duration{service=\"bank\"}) over 1min > 500ms "
                           "for 0s"),
                     all),
              IsEmpty());
  EXPECT_THAT(Traces(Alarm("what somebody else judges"), all), IsEmpty());
  v1::AlarmTransition silent = Alarm(kSlow);
  silent.set_state(v1::ALARM_STATE_NO_DATA);
  EXPECT_THAT(Traces(silent, all), IsEmpty());
}

TEST(Exemplars, SayWhatWasDoneAndWhetherItFailed) {
  EXPECT_EQ(OperationOf(Span("a", 1)), "GET /a");
  EXPECT_EQ(TraceIdOf(Span("\x0a\xff", 1)), "0aff");
  EXPECT_FALSE(HasFailed(Span("a", 1)));
  EXPECT_TRUE(HasFailed(Span("a", 1, "GET /a", "STATUS_CODE_ERROR")));
  v1::Exemplar http;
  EXPECT_EQ(OperationOf(http), "");
  const auto label = [&](const char* name, const char* value) {
    http.add_labels()->set_name(name);
    http.mutable_labels()->rbegin()->set_value(value);
  };
  label("http.response.status_code", "503");
  EXPECT_EQ(OperationOf(http), "{http.response.status_code=\"503\"}");
  EXPECT_TRUE(HasFailed(http));
  label("http.route", "/games");
  label("http.request.method", "GET");
  EXPECT_EQ(OperationOf(http), "GET /games");
}

}  // namespace
}  // namespace liveops::runtime
