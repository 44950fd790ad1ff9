#include "services/notifier/service/compose.h"

#include <gtest/gtest.h>

#include "common/runtime/topics.h"
#include "liveops/v1/alarms.pb.h"

namespace liveops::notifier {
namespace {

// A page of a high alarm while the plan in force says `response`.
Page PageUnder(const std::string& response) {
  v1::AlarmRecord in_force;
  in_force.mutable_plan()->set_service("shop");
  in_force.mutable_plan()->set_version(1);
  in_force.mutable_plan()->set_text("service: shop\n" + response);
  kafka::Record record;
  record.topic = runtime::topic::kAlarms;
  record.key = "plan/shop";
  record.value = in_force.SerializeAsString();
  Registry registry;
  EXPECT_EQ(registry.OnAlarms(record).poison, "");
  Group group;
  group.service = "shop";
  group.phase = Phase::kFiring;
  group.opening.set_severity(v1::SEVERITY_HIGH);
  return ComposePage(registry, group, NoticeDecision{});
}

TEST(ComposePage, TakesTheResponseTimeFromThePlanInForce) {
  EXPECT_EQ(PageUnder("response: {high: 7min}\n").response,
            plan::Response{std::chrono::minutes(7)});
  EXPECT_EQ(PageUnder("").response, plan::DefaultResponse(plan::Severity::kHigh));
}

}  // namespace
}  // namespace liveops::notifier
