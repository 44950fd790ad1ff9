#include "services/liveopsctl/render/remediations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kNow = 1770196500000;  // 2026-02-04T09:15:00Z

v1::RemediationStatus Rollback() {
  v1::RemediationStatus r;
  r.set_id("3f2a9c0011223344556677889900aabb");
  r.set_phase(v1::REMEDIATION_PHASE_PROPOSED);
  v1::Proposed* p = r.mutable_proposed();
  p->set_service("backend-api");
  p->set_scenario("api-error-surge");
  p->set_alarm_id("backend-api/scenario:api-error-surge");
  p->set_digest(std::string(32, '\xab'));
  p->set_approver_owner("on-call");
  p->set_expires_ms(kNow + 900'000);
  p->set_requested_by("operator-1");
  p->set_plan_version(3);
  p->set_expect("ratio(http_5xx_count, http_request_count) over 1min < 1%");
  p->set_expect_within_ms(300'000);
  p->set_condition("5xx is 8.2 % (> 5 %) for 3min");
  v1::Action* action = p->mutable_action();
  action->set_kind("kubectl");
  action->set_target("deployment/backend-api");
  action->set_namespace_("default");
  for (const char* argument :
       {"kubectl", "rollout", "undo", "deployment/backend-api", "--to-revision=42"}) {
    action->add_argv(argument);
  }
  (*action->mutable_preconditions())["revision"] = "43";
  (*action->mutable_effect())["template"] = "5d8c";
  action->set_description("roll back deployment/backend-api from revision 43 to 42");
  v1::RemediationRecord* record = r.add_history();
  record->set_clock_ms(kNow);
  *record->mutable_proposed() = *p;
  return r;
}

TEST(RenderProposal, SaysExactlyWhatWillBeDone) {
  EXPECT_EQ(
      RenderProposal(Rollback(), {}),
      "Remediation 3f2a9c0011223344556677889900aabb of backend-api, scenario api-error-surge\n"
      "This command will run, exactly:\n"
      "\n"
      "  kubectl rollout undo deployment/backend-api --to-revision=42\n"
      "\n"
      "  in words     roll back deployment/backend-api from revision 43 to 42\n"
      "  target       deployment/backend-api in namespace default\n"
      "  revision     43 -> 42\n"
      "  only while   revision = 43\n"
      "  done when    template = 5d8c\n"
      "  because      5xx is 8.2 % (> 5 %) for 3min\n"
      "  alarm        backend-api/scenario:api-error-surge\n"
      "  asked by     plan backend-api v3 (applied by operator-1)\n"
      "  approval of  on-call\n"
      "  expires      2026-02-04T09:30:00Z (15min after it was proposed)\n"
      "  checked by   ratio(http_5xx_count, http_request_count) over 1min < 1% within 5min\n"
      "  digest       abababababababababababababababababababababababababababababababab\n");
}

TEST(RenderProposal, SaysWhenItIsNotKnownWhoAsked) {
  v1::RemediationStatus r = Rollback();
  r.mutable_proposed()->set_requested_by("");
  EXPECT_THAT(RenderProposal(r, {}), HasSubstr("asked by     plan backend-api v3 (who applied it "
                                               "is not known)\n"));
  r.mutable_proposed()->set_requested_by("plan backend-api v3");  // as it once was written
  r.mutable_proposed()->set_plan_version(0);
  EXPECT_THAT(RenderProposal(r, {}), HasSubstr("asked by     plan backend-api v3\n"));
}

TEST(RenderProposal, ArgumentsCannotHideAnything) {
  v1::RemediationStatus r = Rollback();
  r.mutable_proposed()->mutable_action()->add_argv("x; rm -rf /");
  r.mutable_proposed()->mutable_action()->add_argv("\x1b[1A\x1b[2K");
  r.mutable_proposed()->set_condition("\x1b[8mhidden");
  const std::string text = RenderProposal(r, {});
  EXPECT_THAT(text, HasSubstr("--to-revision=42 'x; rm -rf /' $'\\x1b[1A\\x1b[2K'\n"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(RenderRemediations, Table) {
  v1::ListRemediationsResponse response;
  *response.add_remediations() = Rollback();
  v1::RemediationStatus* denied = response.add_remediations();
  *denied = Rollback();
  denied->set_phase(v1::REMEDIATION_PHASE_CLOSED);
  denied->mutable_denied()->set_by("bob");
  EXPECT_EQ(RenderRemediations(response, false, {}),
            "ID            STATE     SERVICE      SCENARIO         ACTION                          "
            "                    "
            "     APPROVAL OF  EXPIRES\n"
            "3f2a9c001122  proposed  backend-api  api-error-surge  roll back "
            "deployment/backend-api from revision 43 to "
            "42  on-call      2026-02-04T09:30:00Z\n"
            "3f2a9c001122  denied    backend-api  api-error-surge  roll back "
            "deployment/backend-api from revision 43 to "
            "42  on-call      -\n");
  EXPECT_EQ(RenderRemediations({}, true, {}), "No open remediations.\n");
}

TEST(RenderRemediation, HistoryAndOutcome) {
  v1::RemediationStatus r = Rollback();
  r.set_phase(v1::REMEDIATION_PHASE_CLOSED);
  r.mutable_outcome()->set_outcome(v1::REMEDIATION_OUTCOME_VERIFIED);
  r.mutable_effect()->set_output("deployment.apps/backend-api rolled back\n\x1b[31m");
  v1::RemediationRecord* approved = r.add_history();
  approved->set_clock_ms(kNow + 60'000);
  approved->mutable_approved()->set_by("alice");
  v1::RemediationRecord* effect = r.add_history();
  effect->set_clock_ms(kNow + 61'000);
  effect->mutable_effect()->set_observed("revision 44");
  v1::RemediationRecord* outcome = r.add_history();
  outcome->set_clock_ms(kNow + 121'000);
  outcome->mutable_outcome()->set_outcome(v1::REMEDIATION_OUTCOME_VERIFIED);
  r.add_history()->mutable_claim();
  const std::string text = RenderRemediation(r, {});
  EXPECT_THAT(
      text, HasSubstr("3f2a9c0011223344556677889900aabb  verified  backend-api/api-error-surge\n"));
  EXPECT_THAT(
      text,
      HasSubstr("History\n"
                "  2026-02-04T09:15:00Z  proposed by plan backend-api v3 "
                "(applied by operator-1): roll back deployment/backend-api from revision 43 to 42\n"
                "  2026-02-04T09:16:00Z  approved by alice\n"
                "  2026-02-04T09:16:01Z  ran, exit code 0, seen: revision 44\n"
                "  2026-02-04T09:17:01Z  verified\n"
                "Output of the tool\n"
                "deployment.apps/backend-api rolled back\n\\x1b[31m\n"));
}

}  // namespace
}  // namespace liveops::ctl
