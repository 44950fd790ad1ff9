// What a series said before it was silent for an hour: what its rules go by is the same wherever
// the others of its group lie.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "services/rule-evaluation/engine/spread_log.h"

namespace liveops::engine {
namespace {

constexpr std::int64_t kMinute = 60'000;

// On so many shards: pod b on the first, pod a on the last one.
class Memory : public testing::SpreadLog, public ::testing::WithParamInterface<int> {
 protected:
  void Begin(const std::string& when, const std::string& more = "") {
    ShardLimits limits;
    limits.eager = false;  // as where a service is spread
    Make(GetParam(), limits);
    const std::string alarm =
        fmt::format("  - {{name: x, when: '{}', severity: low, owner: on-call{}}}\n", when, more);
    Plan(0, 1, GetParam() == 1 ? testing::PlanOf(alarm) : testing::SpreadPlan(GetParam(), alarm));
  }
  void A(std::int64_t at, SeriesKind kind, double value) {
    Until(at);
    Point(GetParam() - 1, at, kind, MetricOf(kind), "a", value, UnitOf(kind));
  }
  // Pod b speaks each 20 s until then.
  void B(std::int64_t to, SeriesKind kind, double value, double more = 0) {
    for (; b_ms_ <= to; b_ms_ += 20'000, value += more) {
      Until(b_ms_);
      Point(0, b_ms_, kind, MetricOf(kind), "b", value, UnitOf(kind));
    }
  }
  std::string Told() {
    std::string lines;
    for (const Transition& t : Take()) {
      lines += fmt::format("{}min {} {} {}\n", (ToMs(t.clock) - testing::kNine) / kMinute,
                           t.alarm_id, AlarmStateName(t.state), t.reason);
    }
    return lines;
  }

 private:
  static std::string_view MetricOf(SeriesKind kind) {
    return kind == SeriesKind::kGauge ? "cpu_utilization" : "http_requests_total";
  }
  static std::string_view UnitOf(SeriesKind kind) { return kind == SeriesKind::kGauge ? "%" : ""; }

  std::int64_t b_ms_ = 20'000;
};

// Where b lies beside it a left an hour ago, and is new: nobody knows how often it speaks.
TEST_P(Memory, AGaugeThatLeftIsNewAfterAnHour) {
  Begin("max(cpu_utilization) > 90%");
  for (std::int64_t at = kMinute; at <= 10 * kMinute; at += kMinute) {
    B(at - 1, SeriesKind::kGauge, 10);
    A(at, SeriesKind::kGauge, 20);
  }
  B(72 * kMinute, SeriesKind::kGauge, 10);
  A(72 * kMinute + 1000, SeriesKind::kGauge, 99);
  B(100 * kMinute, SeriesKind::kGauge, 10);
  EXPECT_EQ(Told(), "72min shop/x firing crossed\n87min shop/x resolved recovered\n");
}

// Its group left when all of it had been silent for an hour, of which its shard was not told.
TEST_P(Memory, ACounterWhoseGroupLeftIsNewAfterAnHour) {
  Begin("increase(http_requests_total) by pod > 10");
  for (std::int64_t at = kMinute; at <= 10 * kMinute; at += 30'000) {
    A(at, SeriesKind::kCounterCumulative, 1000);
  }
  A(72 * kMinute, SeriesKind::kCounterCumulative, 50'000);
  A(72 * kMinute + 30'000, SeriesKind::kCounterCumulative, 50'000);
  Until(74 * kMinute);
  EXPECT_EQ(Told(), "");
  A(75 * kMinute, SeriesKind::kCounterCumulative, 50'100);
  Until(76 * kMinute);
  EXPECT_EQ(Told(), "75min shop/x{pod=\"a\"} firing crossed\n");
}

// While its silence is no absence.
TEST_P(Memory, OneThatSpeaksSeldomGoesOn) {
  Begin("increase(http_requests_total) by pod > 10");
  for (std::int64_t at = kMinute; at <= 121 * kMinute; at += 40 * kMinute) {
    A(at, SeriesKind::kCounterCumulative, 1000);
  }
  A(196 * kMinute, SeriesKind::kCounterCumulative, 50'000);
  Until(197 * kMinute);
  EXPECT_EQ(Told(), "196min shop/x{pod=\"a\"} firing crossed\n");
}

// One that leaves silence behind when it does is given a day to show that it speaks so seldom.
TEST_P(Memory, WhereSilenceIsToldItIsLearntWhoSpeaksSeldom) {
  Begin("last(cpu_utilization) by pod > 90%", ", no_data: fire");
  for (std::int64_t at = kMinute; at <= 700 * kMinute; at += 100 * kMinute) {
    A(at, SeriesKind::kGauge, 20);
  }
  EXPECT_EQ(Told(),
            "16min shop/x{pod=\"a\"} no_data silent\n"
            "101min shop/x{pod=\"a\"} resolved returned\n");
}

// a has left when points are refused, and is not missed while silence proves nothing: neither where
// it was the last one of its shard.
TEST_P(Memory, WhoLeftIsNotMissedAgain) {
  Begin("max(cpu_utilization) > 90%");
  A(kMinute, SeriesKind::kGauge, 20);
  B(30 * kMinute, SeriesKind::kGauge, 10);
  for (Node& node : nodes_) Tick(node, at_, true);
  for (std::int64_t at = 30 * kMinute + 5000; at <= 40 * kMinute; at += 20'000) {
    Until(at);
    Point(GetParam() - 1, at, SeriesKind::kGauge, "cpu_utilization", "c",
          at < 31 * kMinute ? 99 : 10);
    B(at + 15'000, SeriesKind::kGauge, 10);
  }
  EXPECT_EQ(Told(), "30min shop/x firing crossed\n31min shop/x resolved recovered\n");
}

INSTANTIATE_TEST_SUITE_P(OnShards, Memory, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace liveops::engine
