// Costs come a day late, and again and again: a log at 500 times the speed.
#include <gtest/gtest.h>

#include <map>

#include "common/base/text.h"
#include "services/rule-evaluation/engine/shard_log.h"

namespace liveops::engine {
namespace {

using testing::kNine;
using testing::PlanOf;

constexpr std::int64_t kHour = 3'600'000;

class Costs : public testing::ShardLog {
 protected:
  explicit Costs(double speed = 500, std::int64_t tick_ms = 100'000)
      : ShardLog(AtSpeed(speed)), tick_ms_(tick_ms) {
    numbered_ = false;
  }
  virtual std::string Alarms() const {
    return "  - {name: day, when: sum(cost) over 1d > 100USD, severity: low, owner: on-call}\n"
           "  - {name: product, when: sum(cost) by product over 1d > 60USD, severity: low, "
           "owner: "
           "on-call}";
  }
  void SetUp() override {
    Tick(0);
    std::string text = PlanOf(Alarms());
    text.insert(text.find("alarms:"), "  cost: {metric: cost, unit: USD}\n");
    Plan(0, 1, text);
    // The first report says how late they come; the rules judge up to then as they would others.
    Until(kHour / 2);
    Report(-25, -24, {{"ec2", 1}});
  }

  // Ticks until then.
  void Until(std::int64_t at) {
    while (at_ + tick_ms_ < at) Tick(at_ += tick_ms_);
    Tick(at_ = at);
  }
  // A report with the hours from..to of each product, as ingest writes it.
  void Report(std::int64_t from, std::int64_t to, const std::map<std::string, double>& by_hour) {
    std::vector<SeriesView> series;
    std::vector<std::string> labels;
    std::vector<std::uint32_t> index;
    std::vector<std::int64_t> delta;
    std::vector<std::uint64_t> duration;
    std::vector<double> value;
    for (const auto& [product, cost] : by_hour)
      labels.push_back(Labels({{"product", product}}).Encode());
    for (const auto& [product, cost] : by_hour) {
      const auto i = static_cast<std::uint32_t>(series.size());
      series.push_back({{7, Xxh64(product)}, SeriesKind::kObservation, "cost", "USD", labels[i]});
      for (std::int64_t hour = from; hour <= to; ++hour) {
        index.push_back(i);
        delta.push_back(hour * kHour - at_);
        duration.push_back(kHour);
        value.push_back(cost);
      }
    }
    BatchView batch;
    batch.service = "shop";
    batch.protocol = Protocol::kCost;
    batch.base_time_ms = kNine + at_;
    batch.series = series;
    batch.point_series = index;
    batch.point_time_delta_ms = delta;
    batch.point_duration_ms = duration;
    batch.point_value = value;
    Apply(at_, batch);
  }
  // "5h day firing 110", of each transition so far.
  std::string Told() const {
    std::string out;
    for (const Transition& t : told_) {
      out += std::to_string((ToMs(t.clock) - kNine) / kHour) + "h " + t.name + t.group.ToString() +
             " " + AlarmStateName(t.state) + " " + FormatNumber(t.value) + "\n";
    }
    return out;
  }

  const std::int64_t tick_ms_;
};

TEST_F(Costs, ADaysSumFiresWhenTheReportComes) {
  Until(34 * kHour);
  Report(1, 10, {{"ec2", 5}, {"s3", 1}});
  EXPECT_EQ(Told(), "") << "60 so far";
  EXPECT_EQ(shard_.counters().points_late, 2u)
      << "those of the first report; a day and more is not late";
  Until(42 * kHour);
  Report(11, 18, {{"ec2", 5}, {"s3", 1}});
  EXPECT_EQ(Told(), "42h day firing 108\n42h product{product=\"ec2\"} firing 90\n");
}

TEST_F(Costs, TheSameHoursInALaterReportCountOnce) {
  Until(34 * kHour);
  Report(1, 10, {{"ec2", 5}});
  Restart();
  for (int again = 0; again < 5; ++again) {
    Until(34 * kHour + again * 3 * kHour + kHour);
    // Corrected, and with others: what was told stands.
    Report(1, 10, {{"ec2", 9}, {"s3", 0}});
  }
  EXPECT_EQ(Told(), "");
  EXPECT_EQ(shard_.counters().points_duplicate, 50u + 40u) << "of s3 all but the first";
}

TEST_F(Costs, AGroupWhoseHoursCameLateIsNotForgottenBeforeItIsJudged) {
  Until(34 * kHour);
  Report(1, 10, {{"ec2", 5}});
  // Nothing new for a day and more: then the same again, and a few hours more.
  Until(45 * kHour);
  Report(10, 14, {{"ec2", 5}});
  EXPECT_EQ(Told(), "45h product{product=\"ec2\"} firing 70\n");
}

// At the speed of time, at which what is idle is forgotten.
class CostsOfTwoTests : public Costs {
 protected:
  CostsOfTwoTests() : Costs(1, 1500) {}
  std::string Alarms() const override {
    return "  - {name: both, when: sum(cost) by product over 1d > 60USD and sum(cost) over 1d > "
           "60USD, "
           "severity: low, owner: on-call}\n";
  }
};

TEST_F(CostsOfTwoTests, NorIsWhatTheSecondTestKnows) {
  Until(34 * kHour);
  Report(1, 10, {{"ec2", 5}});
  Until(45 * kHour);
  Report(10, 14, {{"ec2", 5}});
  Until(50 * kHour);
  EXPECT_EQ(Told(), "49h both{product=\"ec2\"} firing 65\n") << "of the day up to 13:24";
}

TEST_F(Costs, ResolvesWhenTheDayIsKnownWhole) {
  Until(34 * kHour);
  Report(1, 10, {{"ec2", 11}});
  EXPECT_EQ(Told(), "34h day firing 110\n34h product{product=\"ec2\"} firing 110\n");
  for (std::int64_t at = 42; at < 90; at += 8) {
    Until(at * kHour);
    Report(1, at - 24, {{"ec2", 0.5}});
  }
  // Six of those hours have left the day at 25:36 or later, and 36 h after that it is judged.
  ASSERT_EQ(told_.size(), 4u) << Told();
  EXPECT_EQ(told_[2].state, AlarmState::kResolved);
  EXPECT_GE(ToMs(told_[2].clock) - kNine, 61 * kHour);
}

TEST_F(Costs, ACreditMayUndoIt) {
  Until(34 * kHour);
  Report(1, 10, {{"credit", -3}, {"ec2", 6}});
  EXPECT_EQ(Told(), "");
  Until(42 * kHour);
  Report(11, 12, {{"credit", -3}, {"ec2", 60}});
  EXPECT_EQ(Told(), "") << "another credit of these hours may come";
  // The first whole day, and 36 h.
  Until(62 * kHour);
  EXPECT_EQ(Told(), "60h day firing 144\n60h product{product=\"ec2\"} firing 180\n");
}

}  // namespace
}  // namespace liveops::engine
