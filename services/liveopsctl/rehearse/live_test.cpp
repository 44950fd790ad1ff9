#include "services/liveopsctl/rehearse/live.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/parse.h"

namespace liveops::rehearse {
namespace {

using engine::AlarmState;

constexpr std::int64_t kEnd = 1'800'000'000'000;
constexpr std::int64_t kMinute = 60'000;

// A report of a log that ends at kEnd and in which `x` came last so long before.
BacktestReport ReportOf(std::int64_t last_before, std::int64_t every, std::uint64_t batches) {
  BacktestReport report;
  report.from = InstantFromMs(kEnd - 86'400'000);
  report.to = InstantFromMs(kEnd);
  const auto last = InstantFromMs(kEnd - last_before);
  report.metrics["x"] = {last - Duration(every) * static_cast<std::int64_t>(batches - 1), last,
                         batches};
  return report;
}

plan::Plan PlanOf(const std::string& when) {
  plan::ParseResult parsed =
      plan::Parse("service: shop\nalarms:\n  - {name: a, page: false, when: \"" + when + "\"}\n");
  EXPECT_TRUE(parsed.ok());
  return std::move(parsed.plan);
}

bool Vanished(const BacktestReport& report) {
  return HoldAgainst(PlanOf("last(x) > 1"), report).alarms.at(0).vanished();
}

TEST(Live, AMetricVanishesAfterTenOfItsIntervalsAndNotBeforeFiveMinutes) {
  EXPECT_FALSE(Vanished(ReportOf(4 * kMinute, 1000, 100)));
  EXPECT_TRUE(Vanished(ReportOf(6 * kMinute, 1000, 100)));
  EXPECT_FALSE(Vanished(ReportOf(90 * kMinute, 10 * kMinute, 100)));
  EXPECT_TRUE(Vanished(ReportOf(110 * kMinute, 10 * kMinute, 100)));
  EXPECT_TRUE(Vanished(ReportOf(6 * kMinute, 0, 1))) << "one alone has no interval";
}

TEST(Live, TheGroupThatIsWorstOffSpeaksForTheAlarm) {
  BacktestReport report = ReportOf(0, 1000, 100);
  for (const AlarmState state : {AlarmState::kOk, AlarmState::kFiring, AlarmState::kPending}) {
    engine::AlarmView view;
    view.name = "a";
    view.state = state;
    view.explanation = engine::AlarmStateName(state);
    report.at_end.push_back(view);
  }
  report.alarms.emplace_back();
  report.alarms.back().name = "a";
  report.alarms.back().fired = 3;
  report.pages = 3;
  const LiveReport live = HoldAgainst(PlanOf("last(x) by pod > 1"), report);
  const LiveAlarm& alarm = live.alarms.at(0);
  EXPECT_EQ(alarm.now, AlarmState::kFiring);
  EXPECT_EQ(alarm.explanation, engine::AlarmStateName(AlarmState::kFiring));
  EXPECT_EQ(alarm.groups, 3U);
  EXPECT_EQ(alarm.open, 1U);
  EXPECT_EQ(alarm.fired_per_day, 3);
  EXPECT_EQ(live.pages_per_day, 3);
  EXPECT_FALSE(live.unsound());
}

TEST(Live, NamesTheNearestMetricOfOneThatWasNeverSeen) {
  BacktestReport report = ReportOf(0, 1000, 100);
  report.metrics["http_request_count"] = report.metrics["x"];
  engine::AlarmView view;
  view.name = "a";
  view.state = AlarmState::kBlind;
  report.at_end.push_back(view);
  const LiveReport live = HoldAgainst(PlanOf("rate(http_requests_count) > 1"), report);
  const LiveMetric& metric = live.alarms.at(0).metrics.at(0);
  EXPECT_FALSE(metric.seen);
  EXPECT_FALSE(metric.vanished);
  EXPECT_EQ(metric.nearest, "http_request_count");
  EXPECT_TRUE(live.alarms.at(0).blind());
  EXPECT_TRUE(live.unsound());
}

}  // namespace
}  // namespace liveops::rehearse
