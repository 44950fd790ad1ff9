#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/liveopsctl/app_test_support.h"

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;

using PlanCommands = AppTest;

TEST_F(PlanCommands, PlanCheckPrintsEveryProblemWithACaret) {
  const std::string file = WriteFile("bad.yaml", "service: api\nnonsense: 1\nalarmz: []\n");
  const Ran ran = RunWords({"plan", "check", file});
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.out, HasSubstr(file + ":2:"));
  EXPECT_THAT(ran.out, HasSubstr("    2 | nonsense: 1\n      | ^\n"));
  EXPECT_THAT(ran.out, HasSubstr("    3 | alarmz: []\n      | ^\n"));
  const Ran json = RunWords({"plan", "check", file, "--json"});
  EXPECT_EQ(json.code, kExitNo);
  EXPECT_THAT(json.out, HasSubstr("{\"problems\":[{\"file\":\""));
  EXPECT_EQ(RunWords({"plan", "check", "/nowhere.yaml"}).code, kExitUsage);
  EXPECT_EQ(RunWords({"plan", "apply", file}).code, kExitNo);
  EXPECT_TRUE(script_.applied.empty()) << "a plan that is bad here is not sent";
}

TEST_F(PlanCommands, PlanShowRedirectedGivesTheTextAsApplied) {
  script_.plan->mutable_plan()->set_text("service: api\n# \x1b\n");
  EXPECT_EQ(RunWords({"plan", "show", "api"}).out, "service: api\n# \x1b\n");
  out_terminal_ = true;
  EXPECT_THAT(RunWords({"plan", "show", "api"}).out, HasSubstr("service: api\n# \\x1b\n"));
}

TEST_F(PlanCommands, PlanApplySaysThatItIsAcceptedAndNotYetInForce) {
  script_.apply->set_service("api");
  script_.apply->set_version(3);
  const Ran ran = RunWords({"plan", "apply", WriteFile("good.yaml", "service: api\n")});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_EQ(ran.out,
            "api version 3 is accepted; it comes into force with its shard's next record\n");
}

TEST_F(PlanCommands, PlanShowSaysWhichVersionIsInForce) {
  script_.plan->mutable_plan()->set_service("api");
  script_.plan->mutable_plan()->set_version(3);
  script_.plan->mutable_plan()->set_text("service: api\n");
  v1::AlarmStatus* alarm = script_.alarms->add_alarms();
  alarm->set_service("api");
  alarm->set_plan_version(2);
  const Ran behind = RunWords({"plan", "show", "api"});
  EXPECT_EQ(behind.out, "service: api\n");
  EXPECT_EQ(behind.err, "liveopsctl: this is version 3; version 2 is in force\n");
  alarm->set_plan_version(3);
  EXPECT_EQ(RunWords({"plan", "show", "api"}).err, "");
  out_terminal_ = true;
  env_["NO_COLOR"] = "1";
  EXPECT_THAT(RunWords({"plan", "show", "api"}).out, HasSubstr("; in force\n"));
  alarm->set_plan_version(2);
  const Ran shown = RunWords({"plan", "show", "api"});
  EXPECT_THAT(shown.out, HasSubstr("; version 2 is in force\n"));
  EXPECT_EQ(shown.err, "");
  script_.alarms = UnavailableError("Redis is away");
  const Ran unknown = RunWords({"plan", "show", "api"});
  EXPECT_EQ(unknown.code, kExitOk);
  EXPECT_THAT(unknown.out, HasSubstr("; which version is in force is not known\n"));
  EXPECT_THAT(unknown.err, HasSubstr("Redis is away"));
}

}  // namespace
}  // namespace liveops::ctl
