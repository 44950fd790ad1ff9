#include "services/remediation/policy/guardrails.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/remediation/policy/match.h"
#include "services/remediation/policy/policy_test_support.h"
#include "services/remediation/policy/step.h"

namespace liveops::remediation {
namespace {

using testing_support::At;
using testing_support::MakeProposal;
using testing_support::MakeRecord;

constexpr const char* kTarget = "default/deployment/shop";

// A remediation that was proposed, approved and begun, all at `seconds`, and ended as `outcome`.
void Act(Ledger& ledger, int seconds, const std::string& scenario = "surge",
         OutcomeKind outcome = OutcomeKind::kUnknown) {
  const Proposed proposal = MakeProposal(seconds, scenario);
  Record record = MakeRecord(At(seconds), 1, 0, seconds, scenario);
  record.body = proposal;
  ASSERT_EQ(ledger.Apply(record), Verdict::kApplied);
  record.body = Approved{proposal.digest, "alice", At(seconds + 60)};
  ASSERT_EQ(ledger.Apply(record), Verdict::kApplied);
  record.body = Intent{proposal.digest, "me", Duration(1)};
  ASSERT_EQ(ledger.Apply(record), Verdict::kApplied);
  record.body = Outcome{outcome, ""};
  ASSERT_EQ(ledger.Apply(record), Verdict::kApplied);
}

Guardrail Ask(const Ledger& ledger, int seconds, const char* target = kTarget,
              const char* scenario = "surge") {
  return CheckGuardrails(Guardrails{}, ledger, target, scenario, At(seconds)).guardrail;
}

TEST(Guardrails, CoolDownIsPerTarget) {
  Ledger ledger;
  EXPECT_EQ(Ask(ledger, 0), Guardrail::kAllowed);
  Act(ledger, 0);
  EXPECT_EQ(Ask(ledger, 599), Guardrail::kCoolingDown);
  EXPECT_EQ(Ask(ledger, 599, kTarget, "another"), Guardrail::kCoolingDown);
  EXPECT_EQ(Ask(ledger, 599, "default/deployment/other"), Guardrail::kAllowed);
  EXPECT_EQ(Ask(ledger, 600), Guardrail::kAllowed);
}

TEST(Guardrails, WhatWasRefusedBeforeItRanDoesNotCount) {
  Ledger ledger;
  Act(ledger, 0, "surge", OutcomeKind::kRefused);
  EXPECT_EQ(Ask(ledger, 1), Guardrail::kAllowed);
}

TEST(Guardrails, ActionsPerHour) {
  Ledger ledger;
  for (int i = 0; i < 6; ++i) Act(ledger, i * 599, "s" + std::to_string(i));
  EXPECT_EQ(Ask(ledger, 3599), Guardrail::kTooManyActions);
  // The first one is an hour old; the last one 605 s.
  EXPECT_EQ(Ask(ledger, 3600), Guardrail::kAllowed);
}

// kubernaut#616: "remediated" five times without effect.
TEST(Guardrails, SameRemedyThriceInFourHoursStops) {
  Ledger ledger;
  Act(ledger, 0);
  Act(ledger, 4000);
  EXPECT_EQ(Ask(ledger, 8000), Guardrail::kAllowed);
  Act(ledger, 8000);
  EXPECT_EQ(Ask(ledger, 12'000), Guardrail::kRemedyDoesNotHelp);
  EXPECT_EQ(Ask(ledger, 12'000, kTarget, "another"), Guardrail::kAllowed);
  EXPECT_EQ(Ask(ledger, 4 * 3600), Guardrail::kAllowed);
}

TEST(Guardrails, LeftBehindNamesTheBadTemplates) {
  Ledger ledger;
  Act(ledger, 0);
  EXPECT_THAT(LeftBehind(Guardrails{}, ledger, kTarget, "template", At(100)),
              ::testing::ElementsAre("bbbb"));
  EXPECT_THAT(LeftBehind(Guardrails{}, ledger, kTarget, "template", At(4 * 3600)),
              ::testing::IsEmpty());
  EXPECT_THAT(LeftBehind(Guardrails{}, ledger, "default/x", "template", At(100)),
              ::testing::IsEmpty());
}

class NextStepTest : public ::testing::Test {
 protected:
  void Fold(int seconds, decltype(Record::body) body, std::int64_t epoch = 0) {
    Record record = MakeRecord(At(seconds), offset_++, epoch);
    record.body = std::move(body);
    ASSERT_EQ(ledger_.Apply(record), Verdict::kApplied);
  }
  void Begin(int until) {
    const Proposed p = proposal_;
    Fold(0, p);
    if (until >= 1) Fold(1, Approved{p.digest, "alice", At(61)}, EpochFilter::kNoEpoch);
    if (until >= 2) Fold(2, Intent{p.digest, "me", Duration(1000)});
    if (until >= 3) Fold(3, Effect{0, "", false, "revision 44, template aaaa", "p"});
  }
  // The step and, when it closes, the outcome: "close verified".
  std::string Ask(StepInput input) {
    const StepDecision d = NextStep(*ledger_.Find(MakeRecord(At(0), 0, 0).id), input);
    return std::string(StepName(d.step)) +
           (d.outcome ? std::string(" ") + OutcomeName(d.outcome->kind) : "");
  }
  static StepInput In(int seconds) {
    StepInput input;
    input.now = At(seconds);
    input.may_act = true;
    return input;
  }

  Ledger ledger_;
  Proposed proposal_ = MakeProposal();
  std::int64_t offset_ = 0;
};

TEST_F(NextStepTest, Proposed) {
  Begin(0);
  EXPECT_EQ(Ask(In(899)), "none");
  EXPECT_EQ(Ask(In(900)), "close expired");
  StepInput over = In(5);
  over.condition_over = true;
  EXPECT_EQ(Ask(over), "close withdrawn");
}

TEST_F(NextStepTest, ProposedWithoutAnActionIsRefused) {
  proposal_.action.argv.clear();
  proposal_.digest = ActionDigest(proposal_.action);
  Begin(0);
  EXPECT_EQ(Ask(In(1)), "close refused");
}

TEST_F(NextStepTest, Approved) {
  Begin(1);
  EXPECT_EQ(Ask(In(5)), "intend");
  EXPECT_EQ(Ask(In(61)), "close expired");
  StepInput input = In(5);
  input.may_act = false;
  EXPECT_EQ(Ask(input), "none");
  input = In(5);
  input.guardrail = {Guardrail::kCoolingDown, "wait"};
  EXPECT_EQ(Ask(input), "close refused");
  input = In(5);
  input.condition_over = true;
  EXPECT_EQ(Ask(input), "close withdrawn");
}

TEST_F(NextStepTest, RunningIsNeverRunAgain) {
  Begin(2);
  StepInput input = In(5);
  EXPECT_EQ(Ask(input), "none");
  input.intent_is_ours = true;
  input.intent_timed_out = true;
  EXPECT_EQ(Ask(input), "none");
  input.intent_is_ours = false;
  EXPECT_EQ(Ask(input), "read_back");
  input.condition_over = true;
  EXPECT_EQ(Ask(input), "read_back");
  input.may_act = false;
  EXPECT_EQ(Ask(input), "none");
}

TEST_F(NextStepTest, Verifying) {
  Begin(3);
  StepInput input = In(5);
  EXPECT_EQ(Ask(input), "start_probe");
  input.probe_started = true;
  EXPECT_EQ(Ask(input), "none");
  input.now = At(3 + 300 + 120);
  EXPECT_EQ(Ask(input), "close unknown");
  input.probe_true = true;
  EXPECT_EQ(Ask(input), "close verified");
  input.probe_true = false;
  EXPECT_EQ(Ask(input), "close ineffective");
}

TEST_F(NextStepTest, EffectThatIsNotInForce) {
  Begin(2);
  Fold(3, Effect{1, "error: unable to find specified revision 42 in history", false,
                 "revision 43, template bbbb", ""});
  EXPECT_EQ(Ask(In(5)), "close failed");
}

TEST_F(NextStepTest, EffectThatNobodyCouldSeeIsUnknown) {
  Begin(2);
  Fold(3, Effect{-1, "", false, "", ""});
  EXPECT_EQ(Ask(In(5)), "close unknown");
}

TEST_F(NextStepTest, NothingToCheck) {
  proposal_.expect.clear();
  Begin(3);
  EXPECT_EQ(Ask(In(5)), "close verified");
}

TEST(Match, BindsThePlanToTheAction) {
  plan::Plan plan;
  plan.service = "shop";
  plan::Remediation remedy;
  remedy.name = "surge";
  remedy.approval_from = "on-call";
  remedy.approval_within = Duration(60'000);
  remedy.page_with = "error-rate";
  plan.remediations.push_back(remedy);
  EXPECT_EQ(ScenarioOf("scenario:surge"), "surge");
  EXPECT_EQ(ScenarioOf("error-rate"), "");
  EXPECT_EQ(FindRemedy(plan, "nothing"), nullptr);
  const Firing firing{"shop/scenario:surge", "shop", "surge", At(1), "12 % > 5 %"};
  const Action action = MakeProposal().action;
  const Proposed p = Propose(plan, {7, "alice"}, *FindRemedy(plan, "surge"), firing, action, At(2));
  EXPECT_EQ(p.digest, ActionDigest(action));
  EXPECT_EQ(p.expires, At(62));
  EXPECT_EQ(p.requested_by, "alice") << "a certificate's name: it is compared with the approver's";
  EXPECT_EQ(p.plan_version, 7u);
  EXPECT_EQ(p.page_with, "shop/error-rate");
  EXPECT_EQ(p.approver_owner, "on-call");
  EXPECT_EQ(p.expect, "");
}

}  // namespace
}  // namespace liveops::remediation
