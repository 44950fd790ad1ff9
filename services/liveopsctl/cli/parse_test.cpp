#include "services/liveopsctl/cli/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ParseOutcome ParseWords(std::vector<std::string> words) { return Parse(words, "1.2.3"); }

template <typename T>
T Get(const ParseOutcome& outcome) {
  EXPECT_TRUE(outcome.run.has_value()) << outcome.err;
  if (!outcome.run || !std::holds_alternative<T>(outcome.run->command)) {
    ADD_FAILURE() << "another command";
    return {};
  }
  return std::get<T>(outcome.run->command);
}

void ExpectUsage(const ParseOutcome& outcome, const std::string& message) {
  EXPECT_FALSE(outcome.run.has_value());
  EXPECT_EQ(outcome.exit_code, kExitUsage);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr(message));
}

TEST(Parse, ReadsEveryCommand) {
  EXPECT_EQ(Get<PlanCheck>(ParseWords({"plan", "check", "p.yaml"})).file, "p.yaml");
  EXPECT_THAT(Get<PlanTest>(ParseWords({"plan", "test", "a.yaml", "b.yaml", "--json"})).files,
              ::testing::ElementsAre("a.yaml", "b.yaml"));
  const auto backtest = Get<PlanBacktest>(
      ParseWords({"plan", "backtest", "p.yaml", "--data", "d.jsonl", "--expect", "e.yaml"}));
  EXPECT_EQ(backtest.plan + backtest.source.data + backtest.expect, "p.yamld.jsonle.yaml");
  const auto diff = Get<PlanDiff>(ParseWords({"plan", "diff", "a", "b", "--data", "d.jsonl"}));
  EXPECT_EQ(diff.before + diff.after + diff.source.data, "abd.jsonl");
  const auto log =
      Get<PlanBacktest>(ParseWords({"plan", "backtest", "p.yaml", "--kafka", "h:9", "--from",
                                    "1970-01-01T00:00:01Z", "--to", "1970-01-01T00:00:02Z"}));
  EXPECT_EQ(log.source.kafka, "h:9");
  EXPECT_EQ(log.source.from_ms, 1000);
  EXPECT_EQ(log.source.to_ms, 2000);
  EXPECT_EQ(Get<PlanDiff>(ParseWords({"plan", "diff", "a", "b", "--last", "3d"})).source.last,
            std::chrono::hours(72));
  const auto apply =
      Get<PlanApply>(ParseWords({"plan", "apply", "p.yaml", "--expect-version", "3"}));
  EXPECT_EQ(apply.file, "p.yaml");
  EXPECT_EQ(apply.expect_version, 3u);
  EXPECT_EQ(Get<PlanApply>(ParseWords({"plan", "apply", "p.yaml", "--expect-version", "0"}))
                .expect_version,
            0u);
  EXPECT_EQ(Get<PlanApply>(ParseWords({"plan", "apply", "p.yaml"})).expect_version, std::nullopt);
  EXPECT_THAT(Get<PlanDrift>(ParseWords({"plan", "drift", "a.yaml", "b.yaml"})).files,
              ::testing::ElementsAre("a.yaml", "b.yaml"));
  const auto saved = Get<PlanExport>(ParseWords({"plan", "export", "api", "--version", "4"}));
  EXPECT_EQ(saved.service, "api");
  EXPECT_EQ(saved.version, 4u);
  EXPECT_EQ(Get<PlanShow>(ParseWords({"plan", "show"})).service, "");
  EXPECT_EQ(Get<PlanShow>(ParseWords({"plan", "show", "api", "--version", "7"})).version, 7u);
  EXPECT_TRUE(Get<AlarmsList>(ParseWords({"alarms", "list", "--all", "--service", "api"})).all);
  EXPECT_EQ(Get<AlarmsWatch>(ParseWords({"alarms", "watch", "--service=api"})).service, "api");
  EXPECT_EQ(Get<AlarmsAck>(ParseWords({"alarms", "ack", "api/e{endpoint=\"/x\"}"})).alarm,
            "api/e{endpoint=\"/x\"}");
  EXPECT_EQ(Get<AlarmsExplain>(ParseWords({"alarms", "explain", "list"})).alarm, "list");
  EXPECT_TRUE(Get<RemediationsList>(ParseWords({"remediations", "list", "--open"})).open);
  EXPECT_EQ(Get<RemediationsShow>(ParseWords({"remediations", "show", "3f2a"})).id, "3f2a");
  EXPECT_TRUE(
      Get<RemediationsApprove>(ParseWords({"remediations", "approve", "3f2a", "--yes"})).yes);
  EXPECT_FALSE(Get<RemediationsApprove>(ParseWords({"remediations", "approve", "3f2a"})).yes);
  EXPECT_EQ(
      Get<RemediationsDeny>(ParseWords({"remediations", "deny", "3f2a", "--reason", "not now"}))
          .reason,
      "not now");
  EXPECT_EQ(Get<SlosList>(ParseWords({"slos", "list", "--service", "api"})).service, "api");
  const auto stopped =
      Get<Decommission>(ParseWords({"decommission", "api", "--label", "instance=i-7", "--label",
                                    "zone=a", "--reason", "scale-in"}));
  EXPECT_EQ(stopped.service, "api");
  EXPECT_EQ(stopped.reason, "scale-in");
  ASSERT_EQ(stopped.labels.size(), 2u);
  EXPECT_EQ(stopped.labels[1], (std::pair<std::string, std::string>("zone", "a")));
  const auto report = Get<DeploymentsReport>(ParseWords(
      {"deployments", "report", "--service", "api", "--revision", "43", "--description", "v1.9"}));
  EXPECT_EQ(report.service + report.revision + report.description, "api43v1.9");
  EXPECT_TRUE(Get<ShowStatus>(ParseWords({"status", "--partitions"})).partitions);
  EXPECT_EQ(Get<Completion>(ParseWords({"completion", "zsh"})).shell, "zsh");
}

TEST(Parse, Send) {
  const auto send = Get<Send>(ParseWords(
      {"send", "--label", "endpoint=/games", "a=1.5", "b=-2", "--label", "zone=x=y", "--service",
       "api", "--kind", "delta", "--unit", "ms", "--every", "1s", "--count", "4"}));
  ASSERT_EQ(send.samples.size(), 2u);
  EXPECT_EQ(send.samples[0].metric, "a");
  EXPECT_EQ(send.samples[0].value, 1.5);
  EXPECT_EQ(send.samples[1].value, -2);
  ASSERT_EQ(send.labels.size(), 2u);
  EXPECT_EQ(send.labels[1], (std::pair<std::string, std::string>("zone", "x=y")));
  EXPECT_EQ(send.kind, SampleKind::kDelta);
  EXPECT_EQ(send.unit, "ms");
  EXPECT_EQ(send.every, Duration(1000));
  EXPECT_EQ(send.count, 4u);
  EXPECT_FALSE(send.time_unix_ms.has_value());
  EXPECT_EQ(
      Get<Send>(ParseWords({"send", "a=1", "--service", "s", "--time", "1970-01-01T00:00:01Z"}))
          .time_unix_ms,
      1000);
}

TEST(Parse, OptionsOfEveryCommandStandAnywhere) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"--json", "--timeout", "3s", "--evaluation", "h:1", "alarms", "list"},
           {"alarms", "list", "--json", "--timeout", "3s", "--evaluation", "h:1"}}) {
    const ParseOutcome outcome = Parse(words, "");
    ASSERT_TRUE(outcome.run) << outcome.err;
    EXPECT_TRUE(outcome.run->globals.json);
    EXPECT_EQ(outcome.run->globals.timeout, Duration(3000));
    EXPECT_EQ(outcome.run->globals.evaluation, "h:1");
  }
}

TEST(Parse, WrongWordsAreUsageErrorsWithTheNearestWord) {
  ExpectUsage(ParseWords({"alrms", "list"}), "unknown command \"alrms\"; did you mean \"alarms\"?");
  ExpectUsage(ParseWords({"alarms", "lsit"}),
              "liveopsctl alarms: unknown command \"lsit\"; did you mean \"list\"?");
  ExpectUsage(ParseWords({"decommission", "api"}), "--label is required");
  ExpectUsage(ParseWords({"decommission", "api", "--label", "i-7"}), "write NAME=VALUE");
  ExpectUsage(ParseWords({"alarms", "send"}), "unknown command \"send\"; known are: list,");
  ExpectUsage(ParseWords({"plan", "zzzzzzzz", "x"}), "known are: check, test, backtest");
  ExpectUsage(ParseWords({"alarms", "list", "--servce", "x"}),
              "unknown option --servce; did you mean --service?");
  ExpectUsage(ParseWords({"deployments", "report", "--servce", "x"}), "did you mean --service?");
  ExpectUsage(ParseWords({"alarms", "list", "--jsno"}), "did you mean --json?");
  ExpectUsage(ParseWords({"status", "--only", "ingst"}),
              "unknown service \"ingst\"; did you mean \"ingest\"?");
  ExpectUsage(ParseWords({"completion", "bsh"}), "unknown shell \"bsh\"; did you mean \"bash\"?");
  ExpectUsage(ParseWords({"send", "a=1", "--service", "s", "--kind", "guage"}),
              "did you mean \"gauge\"?");
}

TEST(Parse, MissingAndSurplusArgumentsAreUsageErrors) {
  ExpectUsage(ParseWords({}),
              "a command is missing; known are: plan, alarms, slos, remediations, send");
  ExpectUsage(ParseWords({"alarms"}),
              "liveopsctl alarms: a command is missing; known are: list, watch, ack, explain");
  ExpectUsage(ParseWords({"alarms", "ack"}), "liveopsctl alarms ack: ALARM is required");
  ExpectUsage(ParseWords({"alarms", "ack", "a/b", "c"}), "unexpected argument \"c\"");
  ExpectUsage(ParseWords({"remediations", "deny", "3f2a"}), "--reason is required");
  ExpectUsage(ParseWords({"plan", "test"}), "liveopsctl plan test: FILE is required");
  ExpectUsage(ParseWords({"plan", "backtest", "p.yaml"}), "--data is required");
  ExpectUsage(ParseWords({"plan", "diff", "a", "--data", "d"}), "NEW is required");
  ExpectUsage(ParseWords({"plan", "apply", "x", "--expect-version", "abc"}), "expect-version");
  ExpectUsage(ParseWords({"alarms", "explain", "a/b", "--at", "noon"}),
              "--at: \"noon\" is not a time");
  EXPECT_EQ(
      Get<AlarmsExplain>(ParseWords({"alarms", "explain", "a/b", "--at", "1970-01-01T00:00:01.5Z"}))
          .at_ms,
      1500);
  ExpectUsage(ParseWords({"plan", "backtest", "p", "--data", "d", "--last", "1h"}),
              "--data is a recording");
  ExpectUsage(
      ParseWords({"plan", "backtest", "p", "--last", "1h", "--from", "1970-01-01T00:00:01Z"}),
      "--from and --last exclude each other");
  ExpectUsage(ParseWords({"plan", "check", "p", "--last", "1d"}), "need --live");
  EXPECT_EQ(
      Get<PlanCheck>(ParseWords({"plan", "check", "p", "--live", "--last", "1d"})).source.last,
      std::chrono::hours(24));
  ExpectUsage(ParseWords({"plan", "diff", "a", "b", "--last", "soon"}), "--last: ");
  ExpectUsage(ParseWords({"plan", "drift"}), "FILE is required");
  ExpectUsage(ParseWords({"plan", "export"}), "SERVICE is required");
  ExpectUsage(ParseWords({"plan", "show", "--version", "3"}), "--version needs a SERVICE");
  ExpectUsage(ParseWords({"status", "--timeout", "soon"}), "--timeout: \"soon\" is not a duration");
  ExpectUsage(ParseWords({"send", "a", "--service", "s"}), "write METRIC=VALUE");
  ExpectUsage(ParseWords({"send", "a=x", "--service", "s"}), "\"x\" is not a number");
  ExpectUsage(ParseWords({"send", "a=nan", "--service", "s"}), "finite");
  ExpectUsage(ParseWords({"send", "a=1"}), "--service is required");
  ExpectUsage(ParseWords({"send", "a=1", "--service", "s", "--label", "x"}), "write NAME=VALUE");
  ExpectUsage(ParseWords({"send", "a=1", "--service", "s", "--count", "3"}),
              "--count needs --every");
  ExpectUsage(ParseWords({"send", "a=1", "--service", "s", "--time", "yesterday"}), "RFC 3339");
  ExpectUsage(ParseWords({"send", "a=1", "--service", "s", "--every", "1s", "--time",
                          "2026-02-04T09:15:00Z"}),
              "exclude each other");
}

TEST(Parse, HelpTellsExitCodesAndVersionIsTheBuilds) {
  const ParseOutcome help = ParseWords({"--help"});
  EXPECT_EQ(help.exit_code, kExitOk);
  for (const char* words :
       {"Exit codes:", "  1  the answer is no", "  2  ", "  3  the server could not be reached",
        "remediations", "LIVEOPS_CONFIG"}) {
    EXPECT_THAT(help.out, HasSubstr(words));
  }
  EXPECT_THAT(ParseWords({"send", "--help"}).out, HasSubstr("--every"));
  for (const char* local : {"test", "backtest", "diff", "check"}) {
    const std::string words = ParseWords({"plan", local, "--help"}).out;
    EXPECT_THAT(words, HasSubstr("no certificate is needed")) << local;
    EXPECT_THAT(words, HasSubstr("  1  something is: a test failed")) << local;
    EXPECT_THAT(words, Not(HasSubstr("Every call proves who you are"))) << local;
  }
  EXPECT_THAT(ParseWords({"alarms", "ack", "-h"}).out, HasSubstr("ALARM"));
  EXPECT_EQ(ParseWords({"--version"}).out, "liveopsctl 1.2.3\n");
}

}  // namespace
}  // namespace liveops::ctl
