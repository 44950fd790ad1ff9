#include "services/remediation/policy/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "services/remediation/policy/approval.h"
#include "services/remediation/policy/identity.h"
#include "services/remediation/policy/policy_test_support.h"

namespace liveops::remediation {
namespace {

using testing_support::At;
using testing_support::MakeProposal;
using testing_support::MakeRecord;

// One record a line: seconds, epoch ("-" = none), what, expected verdict, expected phase. `what` is
// one of
//   proposed[:otherid|:tampered|:nobody]  approved:<who>[:wrong|:late|:long]  denied:<who>
//   intent[:wrong]  effect outcome:<kind>
Record Parse(const std::string& seconds, const std::string& epoch, const std::string& what,
             std::int64_t offset) {
  std::vector<std::string> words;
  std::stringstream in(what);
  for (std::string word; std::getline(in, word, ':');) words.push_back(word);
  const Proposed proposal = MakeProposal();
  const std::string wrong(32, 'x');
  const std::string detail = words.size() > 2 ? words[2] : "";
  const Instant at = At(std::stoi(seconds));
  Record record = MakeRecord(at, offset, epoch == "-" ? EpochFilter::kNoEpoch : std::stoll(epoch));
  if (words[0] == "proposed") {
    record.body = proposal;
    if (words.size() > 1 && words[1] == "otherid") record.id = std::string(32, 'a');
    if (words.size() > 1 && words[1] == "tampered") {
      std::get<Proposed>(record.body).action.argv.back() = "--to-revision=1";
    }
    if (words.size() > 1 && words[1] == "nobody") {
      std::get<Proposed>(record.body).requested_by = "";
    }
  } else if (words[0] == "approved") {
    Duration good(60'000);
    if (detail == "late") good = Duration(0);
    if (detail == "long") good = kApprovalGood + Duration(1);
    record.body = Approved{detail == "wrong" ? wrong : proposal.digest, words[1], at + good};
  } else if (words[0] == "denied") {
    record.body = Denied{words[1], "no"};
  } else if (words[0] == "intent") {
    record.body = Intent{words.size() > 1 ? wrong : proposal.digest, "remediation-0", Duration(1)};
  } else if (words[0] == "effect") {
    record.body = Effect{0, "rolled back", false, "revision 44, template aaaa", ""};
  } else {
    for (int kind = 1; kind <= 7; ++kind) {
      if (words[1] == OutcomeName(static_cast<OutcomeKind>(kind))) {
        record.body = Outcome{static_cast<OutcomeKind>(kind), ""};
      }
    }
  }
  return record;
}

struct Case {
  const char* name;
  const char* log;
};

class LedgerTable : public ::testing::TestWithParam<Case> {};

TEST_P(LedgerTable, FoldsAsWritten) {
  Ledger ledger;
  std::istringstream lines(GetParam().log);
  std::int64_t offset = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream in(line);
    std::string seconds, epoch, what, verdict, phase;
    if (!(in >> seconds >> epoch >> what >> verdict >> phase)) continue;
    const Record record = Parse(seconds, epoch, what, offset++);
    EXPECT_STREQ(VerdictName(ledger.Apply(record)), verdict.c_str()) << line;
    const Remediation* r = ledger.Find(MakeRecord(At(0), 0, 0).id);
    EXPECT_EQ(r == nullptr ? "none" : PhaseName(r->phase), phase) << line;
    EXPECT_EQ(ledger.open().size(), r != nullptr && r->open() ? 1u : 0u) << line;
  }
}

INSTANTIATE_TEST_SUITE_P(, LedgerTable,
                         ::testing::Values(Case{"the_whole_way", R"(
            0    5  proposed            applied          proposed
            10   -  approved:alice      applied          approved
            11   5  intent              applied          running
            13   5  effect              applied          verifying
            99   5  outcome:verified    applied          closed)"},
                                           Case{"first_valid_approval_wins", R"(
            0    5  proposed            applied          proposed
            9    -  approved:eve:wrong  digest_mismatch  proposed
            10   -  approved:alice      applied          approved
            10   -  approved:bob        already_approved approved
            11   5  intent              applied          running
            12   -  approved:bob        already_approved running)"},
                                           Case{"requester_cannot_approve", R"(
            0    5  proposed               applied         proposed
            9    -  approved:planbot       self_approval   proposed
            10   -  approved:alice         applied         approved)"},
                                           Case{"nobody_approves_when_who_asked_is_not_known", R"(
            0    5  proposed:nobody        applied         proposed
            9    -  approved:planbot       no_requester    proposed
            10   -  approved:alice         no_requester    proposed
            901  5  outcome:expired        applied         closed)"},
                                           Case{"expired_approval", R"(
            0    5  proposed            applied          proposed
            899  -  approved:al:late    expired          proposed
            899  -  approved:al:long    expired          proposed
            900  -  approved:alice      expired          proposed
            901  5  outcome:expired     applied          closed
            902  -  approved:alice      closed           closed)"},
                                           Case{"forged_records", R"(
            0    5  proposed:otherid    id_mismatch      none
            0    5  proposed:tampered   digest_mismatch  none
            0    -  proposed            no_epoch         none
            1    -  approved:alice      unknown_id       none
            2    5  proposed            applied          proposed
            3    -  intent              no_epoch         proposed
            3    5  intent              not_approved     proposed
            4    -  outcome:verified    no_epoch         proposed
            4    5  outcome:verified    out_of_order     proposed
            5    5  effect              out_of_order     proposed)"},
                                           Case{"first_intent_wins", R"(
            0    5  proposed            applied          proposed
            1    -  approved:alice      applied          approved
            2    5  intent:wrong        digest_mismatch  approved
            2    5  intent              applied          running
            3    9  intent              not_first        running
            4    9  effect              applied          verifying
            5    9  effect              out_of_order     verifying)"},
                                           Case{"approval_that_no_executor_used_in_time", R"(
            0    5  proposed            applied          proposed
            1    -  approved:alice      applied          approved
            61   5  intent              expired          approved
            62   5  outcome:expired     applied          closed)"},
                                           Case{"replayed_proposal_and_approval", R"(
            0    5  proposed            applied          proposed
            1    9  proposed            duplicate        proposed
            2    -  approved:alice      applied          approved
            3    9  outcome:refused     applied          closed
            4    9  proposed            duplicate        closed
            5    -  approved:alice      already_approved closed
            6    9  intent              closed           closed)"},
                                           Case{"denied", R"(
            0    5  proposed            applied          proposed
            1    -  denied:bob          applied          closed
            2    -  approved:alice      closed           closed
            3    -  denied:bob          closed           closed)"},
                                           Case{"denied_after_approval_stops_it", R"(
            0    5  proposed            applied          proposed
            1    -  approved:alice      applied          approved
            2    -  denied:bob          applied          closed
            3    5  intent              closed           closed)"},
                                           Case{"too_late_to_deny", R"(
            0    5  proposed            applied          proposed
            1    -  approved:alice      applied          approved
            2    5  intent              applied          running
            3    -  denied:bob          out_of_order     running
            4    5  outcome:withdrawn   out_of_order     running
            5    5  outcome:unknown     applied          closed
            6    5  effect              closed           closed)"}),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(Ledger, RecordsOfAnotherPartitionDoNotCount) {
  Ledger ledger;
  ASSERT_EQ(ledger.Apply(Parse("0", "5", "proposed", 0)), Verdict::kApplied);
  Record approval = Parse("1", "-", "approved:alice", 1);
  approval.partition = 7;
  EXPECT_EQ(ledger.Apply(approval), Verdict::kUnknownId);
}

TEST(Ledger, ForgetsOnlyWhatIsClosed) {
  Ledger ledger;
  ASSERT_EQ(ledger.Apply(Parse("0", "5", "proposed", 0)), Verdict::kApplied);
  const std::string id = MakeRecord(At(0), 0, 0).id;
  ledger.Forget(id);
  EXPECT_NE(ledger.Find(id), nullptr);
  ASSERT_EQ(ledger.Apply(Parse("1", "-", "denied:bob", 1)), Verdict::kApplied);
  ledger.Forget(id);
  EXPECT_EQ(ledger.Find(id), nullptr);
}

TEST(Ledger, FindsByPrefix) {
  Ledger ledger;
  ASSERT_EQ(ledger.Apply(Parse("0", "5", "proposed", 0)), Verdict::kApplied);
  const std::string id = MakeRecord(At(0), 0, 0).id;
  EXPECT_EQ(id.size(), 32u);
  EXPECT_EQ(ledger.FindPrefix(id.substr(0, 4)).size(), 1u);
  EXPECT_TRUE(ledger.FindPrefix("zzzz").empty());
}

TEST(Identity, DigestSeparatesWhatLooksAlike) {
  Action a{"kubectl", "deployment/x", "default", {"ab", "c"}, {{"revision", "2"}}, {}, "words"};
  const std::string digest = ActionDigest(a);
  EXPECT_EQ(digest.size(), 32u);
  Action b = a;
  b.argv = {"a", "bc"};
  EXPECT_NE(ActionDigest(b), digest);
  b = a;
  b.effect = b.preconditions;
  b.preconditions.clear();
  EXPECT_NE(ActionDigest(b), digest);
  b = a;
  b.ns = "other";
  EXPECT_NE(ActionDigest(b), digest);
  b = a;
  b.description = "other words";
  EXPECT_EQ(ActionDigest(b), digest);
}

TEST(Identity, IdNamesTheEpisode) {
  const std::string id = RemediationId("shop/scenario:s", At(5), "s");
  EXPECT_EQ(id, RemediationId("shop/scenario:s", At(5), "s"));
  EXPECT_NE(id, RemediationId("shop/scenario:s", At(6), "s"));
  EXPECT_NE(id, RemediationId("shop/scenario:t", At(5), "s"));
}

TEST(EffectSeen, ComparesWholeWords) {
  Action action;
  action.effect = {{"template", "abcd"}};
  EXPECT_TRUE(EffectSeen(action, {0, "", false, "revision 44, template abcd", ""}));
  EXPECT_FALSE(EffectSeen(action, {0, "", false, "revision 44, template abcde", ""}));
  EXPECT_FALSE(EffectSeen(action, {0, "", false, "revision abcd", ""}));
  EXPECT_FALSE(EffectSeen(action, {0, "", false, "", ""}));
}

TEST(DecideApproval, GivesTheReason) {
  Ledger ledger;
  ASSERT_EQ(ledger.Apply(Parse("0", "5", "proposed", 0)), Verdict::kApplied);
  const Remediation& r = *ledger.Find(MakeRecord(At(0), 0, 0).id);
  const std::string digest = r.proposed->digest;
  const auto answer = [&](std::string_view d, const char* who, int seconds) {
    return DecideApproval(r, d, who, At(seconds)).answer;
  };
  EXPECT_EQ(answer(digest, "alice", 10), ApprovalAnswer::kAppend);
  EXPECT_EQ(answer("short", "alice", 10), ApprovalAnswer::kDigestDiffers);
  EXPECT_EQ(answer(digest, "planbot", 10), ApprovalAnswer::kSelf);
  EXPECT_EQ(answer(digest, "", 10), ApprovalAnswer::kSelf);
  Remediation unasked = r;
  unasked.proposed->requested_by = "";
  EXPECT_EQ(DecideApproval(unasked, digest, "alice", At(10)).answer, ApprovalAnswer::kNoRequester);
  Remediation old = r;  // of a build that wrote no certificate's name there
  old.proposed->requested_by = "plan shop v3";
  old.proposed->plan_version = 0;
  EXPECT_EQ(DecideApproval(old, digest, "alice", At(10)).answer, ApprovalAnswer::kNoRequester);
  EXPECT_EQ(answer(digest, "alice", 900), ApprovalAnswer::kExpired);
  EXPECT_EQ(DecideDenial(r).answer, DenialAnswer::kAppend);
  ASSERT_EQ(ledger.Apply(Parse("20", "-", "approved:alice", 1)), Verdict::kApplied);
  EXPECT_EQ(answer(digest, "bob", 10'000), ApprovalAnswer::kAlready);
  EXPECT_EQ(answer(std::string(32, 'x'), "bob", 30), ApprovalAnswer::kDigestDiffers);
  ASSERT_EQ(ledger.Apply(Parse("21", "5", "intent", 2)), Verdict::kApplied);
  EXPECT_EQ(DecideDenial(r).answer, DenialAnswer::kUnderWay);
  ASSERT_EQ(ledger.Apply(Parse("22", "5", "outcome:unknown", 3)), Verdict::kApplied);
  EXPECT_EQ(answer(digest, "bob", 30), ApprovalAnswer::kAlready);
  EXPECT_EQ(DecideDenial(r).answer, DenialAnswer::kClosed);
}

}  // namespace
}  // namespace liveops::remediation
