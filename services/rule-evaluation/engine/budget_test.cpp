// What is left of an objective's error budget.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "common/sketch/panes.h"
#include "services/rule-evaluation/engine/shard_log.h"

namespace liveops::engine {
namespace {

using ::testing::HasSubstr;
using testing::kNine;
using ::testing::Not;
using testing::Told;

std::string PlanOf(std::string_view slo) {
  return fmt::format(R"(service: shop
owners:
  on-call: {{slack: "#oncall", pagerduty: oncall}}
slos:
  - {{name: up, {}, bad: http_5xx_count, total: http_request_count, owner: on-call}}
)",
                     slo);
}

TEST(ErrorBudget, IsToldWithWhatIsKnownOfItsTime) {
  // Two hours of 1 % bad, of what may be 1 % in three days.
  EXPECT_EQ(Told(PlanOf("objective: 99%, over: 3d"), R"(
series E delta http_5xx_count
series R delta http_request_count
show 1s up-budget
1min..2h every 60s: E=10 R=1000
show 121min up-budget
show 121min up-fast-burn
end 2h2min)"),
            R"(
1s up-budget is blind: no point of http_request_count seen since the plan came into force
2h1min up-budget is ok: ratio of http_5xx_count to http_request_count is 1 %, not above 1 %; at most 97.2 % of the error budget of 3d is left (2h of 3d is known)
2h1min up-fast-burn is ok: ratio of http_5xx_count to http_request_count over 1h is 1 %, not above 1.44 %; ratio of http_5xx_count to http_request_count over 5min is 1 %, not above 1.44 %; the window reaches back before what is known; it proves nothing yet; ratio of http_5xx_count to http_request_count over 30min is 1 %, above 0.6 %; at most 97.2 % of the error budget of 3d is left (2h of 3d is known)
)");
}

TEST(ErrorBudget, APageSaysWhatIsLeft) {
  const testing::Script script{{{"shop", PlanOf("objective: 99.9%")}},
                               R"(
series E delta http_5xx_count
series R delta http_request_count
plan 0s shop
1min..70min every 60s: E=0 R=1000
71min..80min every 60s: E=500 R=1000
end 80min)",
                               {}};
  const auto outcome = testing::Play(script);
  EXPECT_EQ(outcome.fault, "");
  ASSERT_EQ(outcome.transitions.size(), 1u);
  EXPECT_EQ(outcome.transitions[0].name, "up-fast-burn");
  EXPECT_EQ(outcome.transitions[0].budget,
            "at most 98.8 % of the month's error budget is left (1h of 30d is known)");
}

// A log at 500 times the speed, which somebody adds up by himself.
class Budgets : public testing::ShardLog, public ::testing::WithParamInterface<std::uint32_t> {
 protected:
  static constexpr std::int64_t kOver = 3LL * 86'400'000;
  static constexpr std::int64_t kPane = kOver / 30;
  static constexpr double kAllowed = 5;  // per cent
  struct Counted {
    std::int64_t time = 0;
    double bad = 0;
    double all = 0;
  };

  Budgets() : ShardLog(AtSpeed(500)) {}
  void Points(std::int64_t at, double bad, double all) {
    Say(at, SeriesKind::kCounterDelta,
        {{"http_5xx_count", {}, bad}, {"http_request_count", {}, all}}, "", 360'000);
    counted_.push_back({kNine + at, bad, all});
  }
  // As a person would.
  void Check(std::int64_t at) {
    ASSERT_NE(Find("shop/up-budget"), nullptr);
    const AlarmView& view = *Find("shop/up-budget");
    const std::int64_t end = sketch::PaneIndex(ToMs(view.watermark), kPane) * kPane;
    double bad = 0;
    double all = 0;
    for (const Counted& c : counted_) {
      if (c.time <= end - kOver || c.time > end) continue;
      bad += c.bad;
      all += c.all;
    }
    const double percent = bad * 100 / all;
    EXPECT_NEAR(view.value, percent, 1e-9 * percent) << at;
    const bool whole = end - kOver >= kNine + born_;
    const bool spent = percent > kAllowed;
    EXPECT_EQ(view.state == AlarmState::kFiring, whole && spent) << at << " " << view.explanation;
    ASSERT_TRUE(view.budget) << at;
    const std::string text = BudgetText(*view.budget);
    if (whole) {
      EXPECT_EQ(view.budget->covered, 1);
      EXPECT_NEAR(view.budget->left, 1 - percent / kAllowed, 1e-9);
      EXPECT_THAT(text, HasSubstr(spent ? "is spent" : "is left"));
      EXPECT_THAT(text, Not(HasSubstr("known")));
      whole_ += 1;
      spent_ += spent ? 1 : 0;
    } else {
      EXPECT_LT(view.budget->covered, 1);
      EXPECT_THAT(text, ::testing::EndsWith("of 3d is known)"));
    }
  }

  std::int64_t born_ = 0;
  std::vector<Counted> counted_;
  int whole_ = 0;
  int spent_ = 0;
};

TEST_P(Budgets, AgreeWithASum) {
  std::mt19937 random(GetParam());
  const auto below = [&](int n) {
    return static_cast<double>(random() % static_cast<unsigned>(n));
  };
  Tick(0);
  Plan(0, 1, PlanOf("objective: 95%, over: 3d"));
  double level = 3;
  for (std::int64_t at = 100'000; at < 8LL * 86'400'000; at += 100'000) {
    const std::int64_t point = at / 360'000 * 360'000;
    if (point > at - 100'000) {
      if (random() % 200 == 0) level = below(12);
      Points(point, level * 10 + below(10), 1000 + below(100));
    }
    if (random() % 2000 == 0) Restart();
    Tick(at);
    // What came with the last record is not judged yet.
    if (at > 3'600'000 && point <= at - 100'000 && random() % 20 == 0) Check(at);
    if (HasFailure()) return;
  }
  EXPECT_GT(whole_, 100);
  EXPECT_GT(spent_, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeded, Budgets, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace liveops::engine
