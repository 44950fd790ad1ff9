#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/liveopsctl/app_test_support.h"

namespace liveops::ctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPlan = R"(service: shop
owners:
  on-call: {slack: "#oncall", pagerduty: oncall}
  team: {slack: "#team"}
alarms:
  - {name: cpu, when: last(cpu) > 90 for 1min, severity: critical, owner: on-call}
  - {name: disk, when: last(disk) > 90 for 1min, severity: medium, owner: team}
)";

constexpr const char* kTests = R"(plan: plan.yaml
interval: 10s
tests:
  - name: cpu is used up
    series: [{series: cpu, kind: gauge, values: '50x5 95x11 50x6'}]
    expect:
      - {at: 2min, alarm: cpu, state: firing}
      - {at: 3min2s, alarm: cpu, state: resolved}
)";

class Rehearsals : public AppTest {
 protected:
  Rehearsals() {
    addresses_ = false;  // no server is asked
    plan_ = WriteFile("plan.yaml", kPlan);
  }
  // A recording of CPU at 95 for `minutes`, each 10 s.
  std::string Record(const std::string& name, int minutes) {
    std::string text =
        "{\"recording\": 1, \"about\": \"hot\", \"made_by\": \"a test\", \"service\": \"shop\"}\n"
        "{\"mark\": \"fault begins\", \"at\": 1772359200000}\n";
    for (int i = 0; i < minutes * 6; ++i) {
      text += "{\"at\": " + std::to_string(1'772'359'200'000 + i * 10'000) +
              ", \"points\": [{\"metric\": \"cpu\", \"kind\": \"gauge\", \"value\": 95}]}\n";
    }
    return WriteFile(name, text);
  }

  std::string plan_;
};

TEST_F(Rehearsals, PlanTestTellsWhatPassedAndWhatNoTestCovers) {
  const Ran ran = RunWords({"plan", "test", WriteFile("good.yaml", kTests)});
  EXPECT_EQ(ran.code, kExitOk) << ran.out << ran.err;
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out, HasSubstr("good.yaml\n  ok    cpu is used up  (4min 2s, 1 page)\n"));
  EXPECT_THAT(ran.out, HasSubstr("plan.yaml: 2 alarms that page\n"
                                 "  fired in no test:         disk\n"
                                 "  resolved in no test:      disk\n"
                                 "  without data in no test:  cpu, disk\n"));
  EXPECT_THAT(ran.out, HasSubstr("1 passed, 0 failed\n"));
}

TEST_F(Rehearsals, PlanTestTellsWhatFailedAndLeavesWithOne) {
  std::string tests = kTests;
  tests.replace(tests.find("at: 2min"), 8, "at: 1min40s");
  const std::string file = WriteFile("bad.yaml", tests);
  const Ran ran = RunWords({"plan", "test", WriteFile("good.yaml", kTests), file});
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.out, HasSubstr("  FAIL  cpu is used up  (4min 2s, 1 page)  line 4\n"
                                 "                    ALARM  EXPECTED        GOT\n"
                                 "        transition  cpu    1min40s firing  2min firing 95\n"
                                 "        at 1min40s cpu is pending: "));
  EXPECT_THAT(ran.out, HasSubstr("1 passed, 1 failed\n"));
  const Ran json = RunWords({"plan", "test", file, "--json"});
  EXPECT_EQ(json.code, kExitNo);
  EXPECT_THAT(json.out,
              AllOf(HasSubstr("{\"passed\":0,\"failed\":1,\"files\":[{\"file\":"),
                    HasSubstr("\"expected\":\"1min40s firing\",\"got\":\"2min firing 95\""),
                    HasSubstr("\"never_fired\":[\"disk\"]")));
  EXPECT_THAT(json.out, Not(HasSubstr("FAIL")));
}

TEST_F(Rehearsals, PlanTestTellsEveryProblemAndRunsNothing) {
  std::string tests = kTests;
  tests.replace(tests.find("alarm: cpu"), 10, "alarm: cpi");
  const Ran ran =
      RunWords({"plan", "test", WriteFile("a.yaml", tests), WriteFile("b.yaml", "plan: x.yaml\n")});
  EXPECT_EQ(ran.code, kExitUsage);
  EXPECT_THAT(ran.out,
              HasSubstr("a.yaml:7:27: the plan has no alarm \"cpi\"; did you mean \"cpu\"?"));
  EXPECT_THAT(ran.out, HasSubstr("      - {at: 2min, alarm: cpi, state: firing}\n"));
  EXPECT_THAT(ran.out, HasSubstr("b.yaml:1:7: cannot read "));
  EXPECT_THAT(ran.out, Not(HasSubstr("passed")));
  EXPECT_EQ(RunWords({"plan", "test", "/nowhere.yaml"}).code, kExitUsage);
  const Ran folder = RunWords({"plan", "test", folder_.string()});
  EXPECT_EQ(folder.code, kExitUsage);
  EXPECT_THAT(folder.err, HasSubstr("it is not a plain file"));
  const Ran large =
      RunWords({"plan", "test", WriteFile("large.yaml", std::string((1u << 20) + 1, '#'))});
  EXPECT_THAT(large.err, HasSubstr("is larger than 1048576 bytes"));
  WriteFile("plan.yaml", "service: shop\nalarmz: []\n");
  const Ran plan = RunWords({"plan", "test", WriteFile("good.yaml", kTests)});
  EXPECT_EQ(plan.code, kExitUsage);
  EXPECT_THAT(plan.out, HasSubstr("plan.yaml:2:1: "));
  EXPECT_THAT(plan.out, HasSubstr("good.yaml:1:7: this plan has problems, told above"));
}

TEST_F(Rehearsals, PlanBacktestTellsPagesAndWhatItDidNotLookAt) {
  const std::string data = Record("hot.jsonl", 3);
  const Ran ran = RunWords({"plan", "backtest", plan_, "--data", data});
  EXPECT_EQ(ran.code, kExitOk) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("made by  a test\n"));
  EXPECT_THAT(ran.out,
              HasSubstr("2026-03-01T10:00:00Z fault begins; first page 1min after it: cpu"));
  EXPECT_THAT(ran.out, HasSubstr("cpu    page  1 time  1min 50s     1min after the mark"));
  EXPECT_THAT(ran.out, HasSubstr("2026-03-01T10:01:00Z  firing  cpu "));
  EXPECT_THAT(ran.out, HasSubstr("pages on-call (critical)"));
  EXPECT_THAT(ran.out, HasSubstr("Only what stands in the recording was looked at"));
  EXPECT_THAT(ran.out, HasSubstr("alarms whose metrics are not in it: disk\n"));
}

TEST_F(Rehearsals, PlanBacktestHoldsThePagesAgainstAList) {
  const std::string data = Record("hot.jsonl", 3);
  const std::string good = WriteFile("good.expect.yaml", "pages: [{at: 1min, alarm: cpu}]\n");
  const std::string bad = WriteFile("bad.expect.yaml", "pages: []\n");
  const Ran yes = RunWords({"plan", "backtest", plan_, "--data", data, "--expect", good});
  EXPECT_EQ(yes.code, kExitOk);
  EXPECT_THAT(yes.out, HasSubstr("The pages are those expected.\n"));
  const Ran no = RunWords({"plan", "backtest", plan_, "--data", data, "--expect", bad});
  EXPECT_EQ(no.code, kExitNo);
  EXPECT_THAT(no.out, HasSubstr("The pages are not those expected:\n"));
  EXPECT_THAT(no.out, HasSubstr("page  cpu    nothing   1min firing 95"));
  const Ran json = RunWords({"plan", "backtest", plan_, "--data", data, "--expect", bad, "--json"});
  EXPECT_EQ(json.code, kExitNo);
  EXPECT_THAT(json.out, AllOf(HasSubstr("\"pages\":1,"), HasSubstr("\"as_expected\":false")));
}

TEST_F(Rehearsals, ABadRecordingIsToldWithItsLine) {
  const std::string data =
      WriteFile("bad.jsonl", "{\"recording\": 1}\n{\"at\": 5, \"pints\": []}\n");
  const Ran ran = RunWords({"plan", "backtest", plan_, "--data", data});
  EXPECT_EQ(ran.code, kExitUsage);
  EXPECT_THAT(ran.out, HasSubstr("bad.jsonl:2:1: service is missing"));
  EXPECT_THAT(ran.out, HasSubstr("    2 | {\"at\": 5, \"pints\": []}\n"));
  EXPECT_EQ(RunWords({"plan", "backtest", plan_, "--data", "/nowhere.jsonl"}).code, kExitUsage);
  EXPECT_EQ(RunWords({"plan", "backtest", plan_, "--data", folder_.string()}).code, kExitUsage);
  EXPECT_EQ(RunWords({"plan", "backtest", "/nowhere.yaml", "--data", data}).code, kExitUsage);
  EXPECT_EQ(RunWords({"plan", "backtest", plan_, "--data", WriteFile("e", "")}).code, kExitUsage);
}

TEST_F(Rehearsals, PlanDiffTellsWhatChanges) {
  const std::string data = Record("hot.jsonl", 5);
  std::string slower = kPlan;
  slower.replace(slower.find("for 1min"), 8, "for 3min");
  const Ran ran = RunWords({"plan", "diff", plan_, WriteFile("new.yaml", slower), "--data", data});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("later   cpu    page  2026-03-01T10:01:00Z firing 95"));
  EXPECT_THAT(ran.out, HasSubstr("2min later\n"));
  EXPECT_THAT(ran.out, HasSubstr("Pages: 1 by the old plan, 1 by the new one. 0 episodes alike"));
  const Ran same = RunWords({"plan", "diff", plan_, plan_, "--data", data});
  EXPECT_THAT(same.out, HasSubstr("The new plan tells the same as the old one.\n"));
  const Ran json = RunWords({"plan", "diff", plan_, plan_, "--data", data, "--json"});
  EXPECT_THAT(json.out, HasSubstr("\"same\":1,\"changes\":[]"));
  std::string other = kPlan;
  other.replace(other.find("shop"), 4, "till");
  const Ran two = RunWords({"plan", "diff", plan_, WriteFile("o.yaml", other), "--data", data});
  EXPECT_EQ(two.code, kExitUsage);
  EXPECT_THAT(two.err, HasSubstr("the plans are of two services, shop and till"));
}

}  // namespace
}  // namespace liveops::ctl
