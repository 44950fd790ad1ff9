#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/canonical_plan.h"
#include "common/plan/parse.h"
#include "services/liveopsctl/app_test_support.h"

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kLive = R"(service: api
metrics: {5xx: {ratio: [errors, requests]}}
alarms:
  - {name: errors, when: 5xx > 1% for 3min, page: false}
  - {name: old, when: last(queue) > 5, page: false}
)";
// The same, said otherwise.
constexpr const char* kAlike = R"(# by hand
service: api
alarms:
  - {name: old, when: last(queue) over 1min > 5, page: false, severity: low}
  - {name: errors, when: "ratio(errors, requests) > 1% 180s", page: false}
)";
constexpr const char* kOther = R"(service: api
alarms:
  - {name: errors, when: "ratio(errors, requests) > 2% for 3min", page: false}
  - {name: fresh, when: last(disk) > 9, page: false}
)";

class DriftTest : public AppTest {
 protected:
  DriftTest() {
    Live(3, kLive);
    script_.plans[0] = script_.plans[3];
    InForce(3);
  }
  void Live(std::uint64_t version, const std::string& text) {
    v1::PlanRecord& record = script_.plans[version];
    record.set_service("api");
    record.set_version(version);
    record.set_text(text);
    record.set_applied_by("kim");
    record.set_applied_unix_ms(1770196500000);
  }
  void InForce(std::uint64_t version) {
    script_.alarms->clear_alarms();
    v1::AlarmStatus& alarm = *script_.alarms->add_alarms();
    alarm.set_service("api");
    alarm.set_plan_version(version);
  }
};

TEST_F(DriftTest, AFileThatMeansTheSameIsToldByNothingButTheExitCode) {
  const Ran ran = RunWords({"plan", "drift", WriteFile("alike.yaml", kAlike)});
  EXPECT_EQ(ran.code, kExitOk) << ran.out;
  EXPECT_EQ(ran.out + ran.err, "");
}

TEST_F(DriftTest, TellsWhatDiffersInCanonicalForm) {
  const Ran ran =
      RunWords({"plan", "drift", WriteFile("alike.yaml", kAlike), WriteFile("other.yaml", kOther)});
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.out, Not(HasSubstr("alike.yaml")));
  EXPECT_THAT(ran.out,
              HasSubstr("other.yaml (+) against api version 3, in force, applied by kim at "
                        "2026-02-04T09:15:00Z (-)\n"));
  EXPECT_THAT(ran.out,
              HasSubstr("  ~ alarm errors\n"
                        "      when  - ratio(errors, requests) over 1min > 1% for 3min\n"
                        "            + ratio(errors, requests) over 1min > 2% for 3min\n"));
  EXPECT_THAT(ran.out, HasSubstr("  + alarm fresh\n      when       last(disk) over 1min > 9"));
  EXPECT_THAT(ran.out, HasSubstr("  - alarm old\n"));
  EXPECT_THAT(ran.out, HasSubstr("3 differences: 1 added, 1 removed, 1 changed\n"));
  const Ran json = RunWords({"plan", "drift", WriteFile("other.yaml", kOther), "--json"});
  EXPECT_EQ(json.code, kExitNo);
  EXPECT_THAT(json.out, HasSubstr("\"equal\":false,\"live_version\":3,\"in_force\":true"));
  EXPECT_THAT(json.out,
              HasSubstr("{\"change\":\"changed\",\"what\":\"alarm\",\"name\":\"errors\""));
}

TEST_F(DriftTest, ComparesWithWhatIsInForceAndSaysThatANewerOneWaits) {
  Live(4, kOther);
  script_.plans[0] = script_.plans[4];
  const Ran ran = RunWords({"plan", "drift", WriteFile("other.yaml", kOther)});
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.err,
              HasSubstr("api: version 4, applied by kim at 2026-02-04T09:15:00Z, is not in "
                        "force yet; version 3 is"));
  script_.alarms = UnavailableError("the alarm table is being rebuilt");
  const Ran newest = RunWords({"plan", "drift", WriteFile("other.yaml", kOther)});
  EXPECT_EQ(newest.code, kExitOk);
  EXPECT_THAT(newest.err, HasSubstr("which version is in force cannot be told"));
}

TEST_F(DriftTest, AServiceWithoutAPlanDiffersInAllOfIt) {
  script_.plans.clear();
  script_.plan = NotFoundError("no plan of \"api\"");
  const Ran ran = RunWords({"plan", "drift", WriteFile("other.yaml", kOther)});
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.out, HasSubstr("api has no plan yet"));
  EXPECT_THAT(ran.out, HasSubstr("+ alarm errors"));
}

TEST_F(DriftTest, WhatCannotBeComparedIsNotToldAsADifference) {
  const Ran bad = RunWords({"plan", "drift", WriteFile("bad.yaml", "service: api\nalarm: []\n")});
  EXPECT_EQ(bad.code, kExitUsage);
  EXPECT_THAT(bad.out, HasSubstr("did you mean \"alarms\"?"));
  EXPECT_EQ(RunWords({"plan", "drift", "/nowhere.yaml"}).code, kExitUsage);
  script_.plans.clear();
  for (const Error& error : {UnavailableError("away"), DeniedError("no")}) {
    script_.plan = error;
    const Ran ran = RunWords({"plan", "drift", WriteFile("other.yaml", kOther)});
    EXPECT_EQ(ran.code, kExitUnreachable);
    EXPECT_THAT(ran.err, HasSubstr("other.yaml: " + error.message));
    EXPECT_EQ(ran.out, "");
  }
}

TEST_F(DriftTest, TheExportedPlanReadsBackToTheSameDigest) {
  const Ran ran = RunWords({"plan", "export", "api"});
  ASSERT_EQ(ran.code, kExitOk) << ran.err;
  const plan::ParseResult live = plan::Parse(kLive);
  const plan::ParseResult written = plan::Parse(ran.out);
  ASSERT_TRUE(written.ok()) << ran.out;
  EXPECT_EQ(plan::Digest(written.plan), plan::Digest(live.plan));
  EXPECT_THAT(ran.out, HasSubstr("# api version 3, applied by kim"));
  EXPECT_THAT(ran.out, HasSubstr("# digest " + plan::Digest(live.plan) + "\n"));
  const Ran json = RunWords({"plan", "export", "api", "--version", "3", "--json"});
  EXPECT_THAT(json.out, HasSubstr("\"digest\":\"" + plan::Digest(live.plan) + "\""));
}

TEST_F(DriftTest, AnExportOfNothingIsRefused) {
  script_.plans.clear();
  script_.plan = NotFoundError("no plan of \"api\"");
  EXPECT_EQ(RunWords({"plan", "export", "api"}).code, kExitNo);
  EXPECT_EQ(RunWords({"plan", "export", "api", "--version", "9"}).code, kExitNo);
  Live(5, "service: api\nfuture: 1\n");
  const Ran unread = RunWords({"plan", "export", "api", "--version", "5"});
  EXPECT_EQ(unread.code, kExitNo);
  EXPECT_THAT(unread.err,
              HasSubstr("cannot be read by this liveopsctl: api:2:1: the plan: unknown key"));
}

TEST_F(DriftTest, AnExportThatWouldNotReadBackIsRefused) {
  Live(5,
       "service: api\nmetrics: {CPU: {metric: cpu, unit: \"%\"}}\nalarms:\n"
       "  - {name: idle, when: 1 - last(cpu) in 1 < 10%, page: false}\n");
  const Ran ran = RunWords({"plan", "export", "api", "--version", "5"});
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err,
              HasSubstr("cannot be written in canonical form; `liveopsctl plan show api`"));
}

TEST_F(DriftTest, AnUnexpectedNewestVersionIsToldWithWhoAppliedIt) {
  script_.apply = ConflictError(
      "nothing was applied: the newest version of api is not 2 but 3, "
      "applied by kim at 2026-02-04T09:15:00.000Z");
  const Ran ran =
      RunWords({"plan", "apply", WriteFile("other.yaml", kOther), "--expect-version", "2"});
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.err, HasSubstr("applied by kim at"));
  ASSERT_EQ(script_.applied.size(), 1u);
  EXPECT_EQ(script_.applied[0].expected_version(), 2u);
  RunWords({"plan", "apply", WriteFile("first.yaml", kOther), "--expect-version", "0"});
  RunWords({"plan", "apply", WriteFile("any.yaml", kOther)});
  ASSERT_EQ(script_.applied.size(), 3u);
  EXPECT_TRUE(script_.applied[1].has_expected_version());
  EXPECT_EQ(script_.applied[1].expected_version(), 0u);
  EXPECT_FALSE(script_.applied[2].has_expected_version());
}

TEST_F(DriftTest, WhatIsCountedOfLogLinesIsPartOfWhatAPlanSays) {
  const std::string counts = "logs:\n  - {name: declined, match: card * declined, level: error}\n";
  const Ran ran = RunWords({"plan", "drift", WriteFile("counts.yaml", kAlike + counts)});
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.out, HasSubstr("log count"));
  EXPECT_THAT(ran.out, HasSubstr("declined"));
  Live(3, kLive + counts);
  script_.plans[0] = script_.plans[3];
  EXPECT_THAT(RunWords({"plan", "export", "api"}).out,
              HasSubstr("logs:\n  - name: \"declined\"\n    match: \"card * declined\"\n    "
                        "level: error\n"));
}

}  // namespace
}  // namespace liveops::ctl
