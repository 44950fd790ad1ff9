#include "services/notifier/service/codec.h"

#include <gtest/gtest.h>

#include "liveops/v1/alarms.pb.h"

namespace liveops::notifier {
namespace {

TEST(PageOf, AnObjectivesAlarmSaysWhatIsLeftOfItsErrorBudget) {
  v1::AlarmTransition t;
  t.set_summary("2 % of the month's error budget was burnt in 1 h.");
  EXPECT_EQ(PageOf(t, Phase::kFiring).summary, t.summary());
  t.set_budget("12 % of the month's error budget is left");
  EXPECT_EQ(PageOf(t, Phase::kFiring).summary,
            "2 % of the month's error budget was burnt in 1 h. 12 % of the month's error budget is "
            "left.");
}

}  // namespace
}  // namespace liveops::notifier
