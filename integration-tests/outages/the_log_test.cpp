// What operators ask of the log of samples, and of plans by their meaning: over real Kafka the
// answers are those of what really happened.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "integration-tests/outages/ground.h"

namespace liveops::outages {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr Duration kPageWithin{45'000};
constexpr const char* kService = "looked-back-at";
constexpr const char* kWhen = "last(x) by host over 2s > 0.5 for 3s";

class TheLog : public Ground {
 protected:
  struct Answer {
    int code = -1;
    std::string out;
    std::string err;
    json document;  // of --json
  };
  static Answer Ask(const std::string& person, std::vector<std::string> words) {
    auto ran = Stack().Ctl(person, words);
    if (!ran.ok()) {
      ADD_FAILURE() << ran.error().message;
      return {};
    }
    return {ran->status.code, ran->out, ran->err, json::parse(ran->out, nullptr, false)};
  }
  static Answer ExplainAt(std::int64_t at_ms) {
    return Ask("viewer-1",
               {"alarms", "explain", IdOf(kService), "--at", FormatUtc(at_ms), "--json"});
  }
  static std::int64_t NowMs() { return ToMs(WallClockNow()); }  // the stack's speed is 1
  static std::string Kafka() { return Stack().kafka().address(); }
  static std::string FileOf(const std::string& name, const std::string& text) {
    const std::string file = Stack().Path(name);
    EXPECT_TRUE(stack::WriteFile(file, text).ok());
    return file;
  }
};

TEST_F(TheLog, IsReplayedAsItWasJudgedAndPlansAreComparedByMeaning) {
  const std::string plan = PlanOf(kService, kWhen);
  const std::string file = FileOf("looked-back-at.plan.yaml", plan);

  // At rest, then over the threshold until it pages, then at rest again.
  Apply(kService, plan);
  const auto emitter = Emit(kService, "a", 0);
  ASSERT_TRUE(AwaitState(IdOf(kService), kOk));
  std::this_thread::sleep_for(Duration(3'000));
  const std::int64_t quiet = NowMs();
  std::this_thread::sleep_for(Duration(1'000));
  emitter->Set(1);
  ASSERT_TRUE(Await(kPageWithin, [] { return ToldOf(kService).opened == 1; }));
  ASSERT_TRUE(AwaitState(IdOf(kService), kFiring));
  const std::int64_t burning = NowMs();
  std::this_thread::sleep_for(Duration(1'000));
  emitter->Set(0);
  ASSERT_TRUE(AwaitState(IdOf(kService), kOk));
  const std::string episode = [] {
    const Answer now = Ask("viewer-1", {"alarms", "explain", IdOf(kService), "--json"});
    return now.document["alarm"]["last_transition"].value("episode_ms", "");
  }();

  // The replica replays the partition up to then.
  const Answer before = ExplainAt(quiet);
  EXPECT_EQ(before.code, 0) << before.err;
  EXPECT_EQ(before.document["alarm"].value("state", ""), kOk) << before.out;
  EXPECT_EQ(before.document["alarm"].value("value", -1.0), 0);
  EXPECT_EQ(before.document["after"].value("episode_ms", ""), episode);
  EXPECT_THAT(before.out, HasSubstr("Missing for it to fire: a value 0.5 higher"));
  const Answer during = ExplainAt(burning);
  EXPECT_EQ(during.document["alarm"].value("state", ""), kFiring) << during.out;
  EXPECT_EQ(during.document["alarm"].value("episode_ms", ""), episode);
  EXPECT_EQ(during.document["plan_applied_by"], "operator-1");
  EXPECT_FALSE(during.document.value("corrected", true)) << during.out;
  const Answer ages_ago = ExplainAt(quiet - 86'400'000);
  EXPECT_EQ(ages_ago.code, 1);
  EXPECT_THAT(ages_ago.out, HasSubstr("was in force then"));

  // The same log on this side: one page, as there was.
  const Answer backtest = Ask("viewer-1", {"plan", "backtest", file, "--kafka", Kafka(), "--json"});
  EXPECT_EQ(backtest.code, 0) << backtest.err;
  EXPECT_EQ(backtest.document["pages"], 1) << backtest.out;
  ASSERT_FALSE(backtest.document["transitions"].empty());
  EXPECT_EQ(std::to_string(backtest.document["transitions"][0].value("at_ms", std::int64_t{0})),
            episode);
  EXPECT_GT(backtest.document["log"].value("records", 0), 20);
  const Answer diff =
      Ask("viewer-1", {"plan", "diff", file, FileOf("higher.yaml", PlanOf(kService, "last(x) > 2")),
                       "--last", "1h", "--kafka", Kafka()});
  EXPECT_EQ(diff.code, 0) << diff.err;
  EXPECT_THAT(diff.out, HasSubstr("Pages: 1 by the old plan, 0 by the new one."));
  const Answer live =
      Ask("viewer-1", {"plan", "check", FileOf("typo.yaml", PlanOf(kService, "last(xx) > 2")),
                       "--live", "--kafka", Kafka()});
  EXPECT_EQ(live.code, 1) << live.err;
  EXPECT_THAT(live.out, HasSubstr("xx was never seen; did you mean \"x\"?"));

  // Plans by their meaning.
  EXPECT_EQ(Ask("viewer-1", {"plan", "drift", file}).code, 0);
  const Answer drift =
      Ask("viewer-1", {"plan", "drift", FileOf("drifted.yaml", PlanOf(kService, "last(x) > 3"))});
  EXPECT_EQ(drift.code, 1) << drift.err;
  EXPECT_THAT(drift.out, HasSubstr("- last(x) by host over 2s > 0.5 for 3s"));
  const Answer exported = Ask("viewer-1", {"plan", "export", kService});
  EXPECT_EQ(Ask("viewer-1", {"plan", "drift", FileOf("exported.yaml", exported.out)}).code, 0)
      << exported.out;
  const Answer refused = Ask("operator-1", {"plan", "apply", file, "--expect-version", "7"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("is not 7 but 1, applied by operator-1 at "));
}

}  // namespace
}  // namespace liveops::outages
