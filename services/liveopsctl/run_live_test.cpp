#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/liveopsctl/log_for_tests.h"

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kHead = R"(service: shop
owners: {on-call: {slack: "#oncall", pagerduty: oncall}}
alarms:
)";

class LiveChecks : public LogTest {
 protected:
  LiveChecks() {
    kafka_.Run(60'000, "old_queue", 5);
    kafka_.Run(200'000, "cpu", 50);
    kafka_.Run(400'000, "cpu", 95);
    kafka_.Run(500'000, "cpu", 40);
    kafka_.Run(900'000, "cpu", 95);
  }
  Ran Check(const std::string& alarms, const std::vector<std::string>& more = {}) {
    return RunOnKafka({"plan", "check", WriteFile("shop.yaml", kHead + alarms), "--live"}, more);
  }
};

TEST_F(LiveChecks, TellWhatWouldFireNowAndHowOften) {
  const Ran ran = Check(
      "  - {name: hot, when: last(cpu) > 90 for 1min, severity: critical, owner: on-call}\n"
      "  - {name: cold, when: last(cpu) < 1, page: false}\n");
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("hot    page    would fire  2 times  192.1  cpu 750ms ago\n"));
  EXPECT_THAT(ran.out, HasSubstr("cold   shadow  quiet       -        0      cpu 750ms ago\n"));
  EXPECT_THAT(ran.out, HasSubstr("  hot  cpu is 95, above 90 since "));
  EXPECT_THAT(ran.out, HasSubstr("2 pages in 14min 59s: 192.1 a day at this rate.\n"));
  EXPECT_THAT(ran.out, HasSubstr("Seen: 4500 records of partition "));
}

TEST_F(LiveChecks, ARuleOverNothingIsBlindAndNamesTheNearestMetric) {
  const Ran ran = Check(
      "  - {name: hot, when: last(cpuu) > 90, page: false}\n"
      "  - {name: far, when: last(completely_else) > 90, page: false}\n");
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.out, HasSubstr("hot    shadow  blind"));
  EXPECT_THAT(ran.out,
              HasSubstr("hot  it cannot fire: cpuu was never seen; did you mean \"cpu\"?\n"));
  EXPECT_THAT(ran.out, HasSubstr("far  it cannot fire: completely_else was never seen\n"));
  const Ran json = Check("  - {name: hot, when: last(cpuu) > 90, page: false}\n", {"--json"});
  EXPECT_EQ(json.code, kExitNo);
  EXPECT_THAT(json.out, HasSubstr("\"now\":\"blind\",\"blind\":true"));
  EXPECT_THAT(json.out, HasSubstr("{\"metric\":\"cpuu\",\"seen\":false,\"nearest\":\"cpu\"}"));
}

TEST_F(LiveChecks, AMetricThatVanishedIsTold) {
  const Ran ran = Check("  - {name: queue, when: last(old_queue) > 90, page: false}\n");
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.out, HasSubstr("old_queue has vanished, last seen 14min"));
}

TEST_F(LiveChecks, APlanWithProblemsIsNotHeldAgainstAnything) {
  const Ran ran = Check("  - {name: hot, when: last(cpu) >> 90, page: false}\n");
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.out, HasSubstr("1 problem"));
  EXPECT_THAT(ran.out, Not(HasSubstr("Seen")));
}

TEST_F(LiveChecks, ALogWithoutTheServiceIsTold) {
  open_kafka_ = [](const kafka::ClientConfig&) -> Result<KafkaPorts> {
    return NotFoundError("Kafka has no topic liveops.metrics.v1");
  };
  const Ran ran = Check("  - {name: hot, when: last(cpu) > 90, page: false}\n");
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.err, HasSubstr("Kafka has no topic"));
}

}  // namespace
}  // namespace liveops::ctl
