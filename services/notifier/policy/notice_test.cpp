#include "services/notifier/policy/notice.h"

#include <gtest/gtest.h>

#include <sstream>

#include "common/base/text.h"

namespace liveops::notifier {
namespace {

Phase PhaseOf(const std::string& word) {
  if (word == "firing") return Phase::kFiring;
  if (word == "no-data") return Phase::kNoData;
  if (word == "stale") return Phase::kStale;
  if (word == "resolved") return Phase::kResolved;
  if (word == "gone") return Phase::kGone;
  if (word == "withdrawn") return Phase::kWithdrawn;
  if (word == "replaced") return Phase::kReplaced;
  if (word == "none") return Phase::kNone;
  ADD_FAILURE() << "phase " << word;
  return Phase::kNone;
}

Notice NoticeOf(std::string_view word) {
  for (const Notice notice :
       {Notice::kFiring, Notice::kAcknowledged, Notice::kRemedyProposed, Notice::kRemedyClosed,
        Notice::kResolved, Notice::kNoData, Notice::kEased, Notice::kStale}) {
    if (word == NoticeName(notice)) return notice;
  }
  ADD_FAILURE() << "notice " << word;
  return Notice::kFiring;
}

Outcome OutcomeOf(std::string_view word) {
  for (const Outcome outcome : {Outcome::kDelivered, Outcome::kFailed, Outcome::kUnknown,
                                Outcome::kRejected, Outcome::kSuperseded}) {
    if (word == OutcomeName(outcome)) return outcome;
  }
  ADD_FAILURE() << "outcome " << word;
  return Outcome::kFailed;
}

plan::Severity SeverityOf(std::string_view word) {
  for (const auto severity : {plan::Severity::kCritical, plan::Severity::kHigh,
                              plan::Severity::kMedium, plan::Severity::kLow}) {
    if (word == plan::SeverityName(severity)) return severity;
  }
  ADD_FAILURE() << "severity " << word;
  return plan::Severity::kLow;
}

// `firing/0 @high ack remedy:r1 remedy:r2=acted remedy:r3=closed remedy:r4=refused unrouted`: the
// phase and its step, then what else is so.
Desired DesiredOf(std::string_view text, bool& routed) {
  Desired desired;
  std::istringstream words{std::string(text)};
  std::string word;
  words >> word;
  const std::size_t slash = word.find('/');
  desired.phase = PhaseOf(word.substr(0, slash));
  if (slash != std::string::npos) {
    desired.step = static_cast<std::uint32_t>(std::stoul(word.substr(slash + 1)));
  }
  while (words >> word) {
    if (word.starts_with('@')) desired.severity = SeverityOf(word.substr(1));
    if (word == "ack") desired.acknowledged = true;
    if (word == "unrouted") routed = false;
    if (word.starts_with("remedy:")) {
      const std::size_t equals = word.find('=');
      const std::string id = word.substr(7, equals == std::string::npos ? equals : equals - 7);
      const std::string state = equals == std::string::npos ? "" : word.substr(equals + 1);
      const bool acted = state == "acted" || state == "unknown";
      desired.remedies.push_back(
          {id, !state.empty(), acted, state == "refused" || state == "unknown"});
    }
  }
  return desired;
}

// `firing=unknown#2/1@high remedy-proposed:r1=delivered`: notice, subject, outcome, attempts, step,
// severity.
Delivered DeliveredOf(std::string_view text) {
  Delivered delivered;
  std::istringstream words{std::string(text)};
  std::string word;
  while (words >> word) {
    Told told;
    if (const std::size_t at = word.find('@'); at != std::string::npos) {
      told.severity = SeverityOf(std::string_view(word).substr(at + 1));
      word.resize(at);
    }
    const std::size_t slash = word.find('/');
    if (slash != std::string::npos) {
      told.step = static_cast<std::uint32_t>(std::stoul(word.substr(slash + 1)));
    }
    word = word.substr(0, slash);
    const std::size_t hash = word.find('#');
    told.attempts = hash == std::string::npos
                        ? 1
                        : static_cast<std::uint32_t>(std::stoul(word.substr(hash + 1)));
    word = word.substr(0, hash);
    const std::size_t equals = word.find('=');
    told.outcome = OutcomeOf(word.substr(equals + 1));
    word = word.substr(0, equals);
    const std::size_t colon = word.find(':');
    if (colon != std::string::npos) told.subject = word.substr(colon + 1);
    told.notice = NoticeOf(word.substr(0, colon));
    delivered.Record(told);
  }
  return delivered;
}

std::string Describe(const NoticeDecision& decision) {
  std::string out = NoticeReasonName(decision.reason);
  if (!decision.sends() && decision.reason != NoticeReason::kSuperseded) return out;
  out += std::string(" ") + NoticeName(decision.notice);
  if (!decision.subject.empty()) out += ":" + decision.subject;
  if (decision.sends()) out += "#" + std::to_string(decision.number);
  if (decision.may_repeat) out += " may-repeat";
  for (const std::string& id : decision.carries) out += " +" + id;
  if (decision.was) out += std::string(" was ") + plan::SeverityName(*decision.was);
  return out;
}

void Check(const char* table) {
  std::istringstream lines(table);
  std::string line;
  int rows = 0;
  while (std::getline(lines, line)) {
    if (Trim(line).empty()) continue;
    const auto cells = Split(line, '|');
    ASSERT_EQ(cells.size(), 4u) << line;
    bool routed = true;
    const Channel channel = Trim(cells[0]) == "slack" ? Channel::kSlack : Channel::kPagerDuty;
    const Desired desired = DesiredOf(Trim(cells[1]), routed);
    EXPECT_EQ(Describe(NextNotice(channel, routed, desired, DeliveredOf(cells[2]))), Trim(cells[3]))
        << line;
    ++rows;
  }
  EXPECT_GT(rows, 0);
}

TEST(NextNotice, TriggerBeforeResolveAndNothingAfter) {
  Check(R"(
slack     | firing                  |                                          | due firing#1
pagerduty | firing                  |                                          | due firing#1
slack     | firing                  | firing=delivered                         | all-told
slack     | resolved/1              | firing=delivered                         | due resolved#1
pagerduty | resolved/1              | firing=delivered                         | due resolved#1
slack     | resolved/1              | firing=delivered resolved=delivered/1    | all-told
pagerduty | resolved/1 remedy:r1    | firing=delivered resolved=delivered/1    | all-told
pagerduty | resolved/1 ack          | firing=delivered resolved=delivered/1    | all-told
pagerduty | withdrawn/1             | firing=delivered                         | due resolved#1
pagerduty | gone/1                  | firing=delivered                         | due resolved#1
pagerduty | replaced/1              | firing=delivered                         | due resolved#1
)");
}

TEST(NextNotice, StaleIsToldOnceAndSoIsTheReturn) {
  Check(R"(
pagerduty | stale/1    | firing=delivered                       | due stale#1
slack     | stale/1    | firing=delivered stale=delivered/1     | all-told
slack     | firing/2   | firing=delivered stale=delivered/1     | due firing#1
pagerduty | resolved/2 | firing=delivered stale=delivered/1     | due resolved#1
)");
}

TEST(NextNotice, AfterATriggerOfUnknownOutcomeTheResolveIsStillSent) {
  Check(R"(
slack     | resolved/1 | firing=unknown                             | due resolved#1
pagerduty | resolved/1 | firing=unknown                             | due resolved#1
pagerduty | resolved/1 | firing=unknown#1 firing=failed#2           | due resolved#1
pagerduty | resolved/1 | firing=unknown resolved=unknown/1          | repeat-after-unknown resolved#2
slack     | resolved/1 | firing=unknown resolved=unknown/1          | repeat-after-unknown resolved#2 may-repeat
)");
}

// The trigger may overtake the resolve: without another one it would stand open for good.
TEST(NextNotice, AfterATriggerOfUnknownOutcomeTheResolveIsSentOnceMore) {
  Check(R"(
pagerduty | resolved/1 | firing=unknown resolved=delivered/1                             | repeat-after-unknown resolved:again#1
slack     | resolved/1 | firing=unknown resolved=delivered/1                             | repeat-after-unknown resolved:again#1 may-repeat
pagerduty | resolved/1 | firing=delivered no-data=unknown/1 resolved=delivered/2         | repeat-after-unknown resolved:again#1
pagerduty | resolved/1 | firing=unknown#1 firing=failed#2 resolved=delivered/1           | repeat-after-unknown resolved:again#1
pagerduty | resolved/1 | firing=unknown resolved=delivered/1 resolved:again=failed/1     | repeat-after-unknown resolved:again#2
pagerduty | resolved/1 | firing=unknown resolved=delivered/1 resolved:again=unknown/1    | all-told
pagerduty | resolved/1 | firing=unknown resolved=delivered/1 resolved:again=delivered/1  | all-told
pagerduty | resolved/1 | firing=unknown resolved=rejected/1                              | all-told
pagerduty | resolved/1 | firing=unknown#1 firing=delivered#2 resolved=delivered/1        | all-told
slack     | resolved/1 remedy:r1=acted | firing=unknown resolved=delivered/1             | due remedy-closed:r1#1
)");
}

// alertmanager#2111: a 429 was taken as permanent, firing and resolved were both lost. Here the
// firing is tried again while it is so; when it is over before anything left, that is recorded.
TEST(NextNotice, AFiringThatIsOverBeforeAnythingArrivedIsSuperseded) {
  Check(R"(
slack     | firing     | firing=failed                        | repeat-after-failure firing#2
slack     | firing     | firing=failed#7                      | repeat-after-failure firing#8
slack     | resolved/1 | firing=failed#7                      | superseded resolved
pagerduty | resolved/1 |                                      | superseded resolved
pagerduty | resolved/1 | firing=rejected                      | superseded resolved
slack     | resolved/1 | resolved=superseded/1                | all-told
)");
}

// grafana#68162: a restart before the flush lost the resolve for good. What is so against what was
// told needs no queue that a restart could lose.
TEST(NextNotice, AResolveThatARestartInterruptedIsStillDue) {
  Check(R"(
slack     | resolved/1 | firing=delivered                     | due resolved#1
slack     | resolved/1 | firing=delivered resolved=failed#3/1 | repeat-after-failure resolved#4
)");
}

// forta-node#607: claimed before sent, and the crash between lost the message. An attempt without
// outcome is "unknown".
TEST(NextNotice, ASlackMessageSaysThatItMayBeARepeatOnlyWhenTheOutcomeIsUnknown) {
  Check(R"(
slack     | firing     | firing=unknown                       | repeat-after-unknown firing#2 may-repeat
slack     | firing     | firing=failed                        | repeat-after-failure firing#2
slack     | firing     | firing=unknown#1 firing=failed#2     | repeat-after-unknown firing#3 may-repeat
slack     | firing     | firing=failed#1 firing=unknown#2     | repeat-after-unknown firing#3 may-repeat
pagerduty | firing     | firing=unknown                       | repeat-after-unknown firing#2
slack     | firing     | firing=unknown#1 firing=delivered#2  | all-told
slack     | firing     | firing=rejected                      | all-told
)");
}

TEST(NextNotice, NoDataIsToldAndTheReturnToo) {
  Check(R"(
slack     | no-data/1  | firing=delivered                                        | due no-data#1
slack     | no-data    |                                                         | due no-data#1
slack     | no-data/1  | firing=delivered no-data=delivered/1                    | all-told
slack     | firing/2   | firing=delivered no-data=delivered/1                    | due firing#1
slack     | firing/2   | firing=delivered no-data=delivered/1 firing=delivered/2 | all-told
slack     | firing/2   | firing=delivered no-data=failed/1                       | all-told
slack     | firing/2   | firing=delivered no-data=unknown/1                      | due firing#1
slack     | resolved/2 | no-data=delivered/1                                     | due resolved#1
)");
}

TEST(NextNotice, AnAcknowledgementFollowsTheTrigger) {
  Check(R"(
pagerduty | firing ack     |                                          | due firing#1
pagerduty | firing ack     | firing=failed                            | repeat-after-failure firing#2
pagerduty | firing ack     | firing=delivered                         | due acknowledged#1
pagerduty | firing ack     | firing=delivered acknowledged=failed     | repeat-after-failure acknowledged#2
pagerduty | firing ack     | firing=delivered acknowledged=delivered  | all-told
pagerduty | resolved/1 ack | firing=delivered                         | due resolved#1
pagerduty | firing ack     | firing=rejected                          | all-told
)");
}

TEST(NextNotice, RemediesAreToldOnce) {
  Check(R"(
slack     | firing remedy:r1          |                                                                       | due firing#1 +r1
pagerduty | firing remedy:r1          |                                                                       | due firing#1 +r1
slack     | firing remedy:r1          | firing=delivered                                                      | due remedy-proposed:r1#1
pagerduty | firing remedy:r1          | firing=delivered                                                      | due remedy-proposed:r1#1
slack     | firing remedy:r1          | firing=delivered remedy-proposed:r1=unknown                           | repeat-after-unknown remedy-proposed:r1#2 may-repeat
slack     | firing remedy:r1          | firing=delivered remedy-proposed:r1=delivered                         | all-told
slack     | firing remedy:r1=acted    | firing=delivered remedy-proposed:r1=delivered                         | due remedy-closed:r1#1
pagerduty | firing remedy:r1=acted    | firing=delivered remedy-proposed:r1=delivered                         | all-told
slack     | resolved/1 remedy:r1=acted| firing=delivered remedy-proposed:r1=delivered                         | due resolved#1
slack     | resolved/1 remedy:r1=acted| firing=delivered remedy-proposed:r1=delivered resolved=delivered/1    | due remedy-closed:r1#1
pagerduty | resolved/1 remedy:r1      | firing=delivered resolved=delivered/1                                 | all-told
slack     | firing remedy:r1=closed   | firing=delivered                                                      | all-told
slack     | firing remedy:r1=acted    | firing=delivered                                                      | due remedy-closed:r1#1
slack     | none remedy:r1            |                                                                       | due remedy-proposed:r1#1
slack     | none remedy:r1=closed     | remedy-proposed:r1=delivered                                          | due remedy-closed:r1#1
slack     | none remedy:r1=closed     | remedy-proposed:r1=delivered remedy-closed:r1=delivered               | all-told
)");
}

// kubernaut#616: "remediated" five times without effect, nobody told.
TEST(NextNotice, ARefusedOrUnknownRemedyIsToldThoughItWasNeverAnOpenProposal) {
  Check(R"(
slack     | firing remedy:r1=refused    |                                                                              | due firing#1
slack     | firing remedy:r1=refused    | firing=delivered                                                             | due remedy-closed:r1#1
pagerduty | firing remedy:r1=refused    | firing=delivered                                                             | due remedy-closed:r1#1
pagerduty | firing remedy:r1=unknown    | firing=delivered                                                             | due remedy-closed:r1#1
pagerduty | firing remedy:r1=refused    | firing=delivered remedy-proposed:r1=delivered                                | due remedy-closed:r1#1
pagerduty | firing remedy:r1=refused    | firing=delivered remedy-closed:r1=unknown                                    | repeat-after-unknown remedy-closed:r1#2
pagerduty | firing remedy:r1=refused    | firing=delivered remedy-closed:r1=delivered                                  | all-told
pagerduty | resolved/1 remedy:r1=unknown| firing=delivered resolved=delivered/1                                        | all-told
slack     | resolved/1 remedy:r1=refused| firing=delivered resolved=delivered/1                                        | due remedy-closed:r1#1
slack     | none remedy:r1=refused      |                                                                              | due remedy-closed:r1#1
slack     | none remedy:r1=refused      | remedy-closed:r1=delivered                                                   | all-told
)");
}

TEST(NextNotice, ADestinationThatThePlanLeftHearsOnlyOfTheEnd) {
  Check(R"(
slack     | firing unrouted     | firing=delivered  | no-longer-routed
slack     | firing ack unrouted | firing=delivered  | no-longer-routed
slack     | firing unrouted     |                   | no-longer-routed
slack     | resolved/1 unrouted | firing=delivered  | due resolved#1
slack     | withdrawn/1 unrouted| firing=unknown    | due resolved#1
)");
}

TEST(NextNotice, ARiseIsToldAgainAndAFallWhereItWakesNobody) {
  Check(R"(
slack     | firing/1 @critical      | firing=delivered@high                          | due firing#1 was high
pagerduty | firing/1 @critical      | firing=delivered@high                          | due firing#1 was high
slack     | firing/1 @critical ack  | firing=delivered@high                          | due firing#1 was high
slack     | firing/1 @critical      | firing=delivered@high firing=failed/1@critical | repeat-after-failure firing#2 was high
slack     | firing/1 @critical      | firing=delivered/1@critical                    | all-told
pagerduty | firing/1 @critical      |                                                | due firing#1
slack     | firing/2 @high          | firing=delivered/1@critical                    | due eased#1 was critical
slack     | firing/2 @high          | firing=delivered/1@critical eased=unknown/2@high | all-told
slack     | firing/3 @critical      | firing=delivered/1@critical eased=delivered/2@high | due firing#1 was high
slack     | firing/3 @medium        | firing=delivered/1@critical eased=delivered/2@high | due eased#1 was high
pagerduty | firing/2 @high          | firing=delivered/1@critical                    | all-told
pagerduty | firing/3 @critical      | firing=delivered/1@critical                    | all-told
pagerduty | firing/2 @medium unrouted | firing=delivered/1@critical                  | no-longer-routed
slack     | firing/2 @high          | firing=rejected/1@critical                     | due firing#1
slack     | firing/2 @critical      | firing=delivered                               | all-told
slack     | resolved/3 @high        | firing=delivered/1@critical                    | due resolved#1
)");
}

TEST(IsFinished, OnlyWhenNothingMoreCanCome) {
  bool routed = true;
  const auto finished = [&](const char* desired, const char* delivered) {
    return IsFinished(Channel::kSlack, routed, DesiredOf(desired, routed), DeliveredOf(delivered));
  };
  EXPECT_FALSE(finished("firing", "firing=delivered"));
  EXPECT_FALSE(finished("resolved/1", "firing=delivered"));
  EXPECT_TRUE(finished("resolved/1", "firing=delivered resolved=delivered/1"));
  EXPECT_FALSE(finished("resolved/1 remedy:r1",
                        "firing=delivered resolved=delivered/1 remedy-proposed:r1=delivered"));
}

TEST(Delivered, LearnsOnlyWhatItDoesNotKnowBetter) {
  const auto after = [](const char* known, const char* other) {
    Delivered delivered = DeliveredOf(known);
    for (const Told& told : DeliveredOf(other).told) delivered.Learn(told);
    std::string out;
    for (const Told& told : delivered.told) {
      out += std::string(out.empty() ? "" : " ") + NoticeName(told.notice) + "=" +
             OutcomeName(told.outcome) + "#" + std::to_string(told.attempts);
    }
    return out;
  };
  EXPECT_EQ(after("", "firing=failed"), "firing=failed#1");
  EXPECT_EQ(after("firing=unknown", "firing=delivered"), "firing=delivered#1");
  EXPECT_EQ(after("firing=unknown", "firing=failed"), "firing=failed#1");
  EXPECT_EQ(after("firing=delivered", "firing=unknown"), "firing=delivered#1");
  EXPECT_EQ(after("firing=unknown#2", "firing=delivered#1"), "firing=delivered#1");
  EXPECT_EQ(after("firing=unknown#2", "firing=failed#1"), "firing=unknown#2");
  EXPECT_EQ(after("firing=delivered#2", "firing=failed#1"), "firing=delivered#2");
  EXPECT_EQ(after("firing=delivered/2", "firing=failed#3/0"), "firing=delivered#1");
  EXPECT_EQ(after("firing=delivered resolved=unknown/1", "firing=delivered resolved=delivered/1"),
            "firing=delivered#1 resolved=delivered#1");
}

TEST(Delivered, KeepsAtMostTheNewestAndOneThatMayHaveArrived) {
  Delivered delivered;
  for (std::uint32_t i = 1; i <= 100; ++i) {
    Told told;
    told.attempts = i;
    told.outcome = i == 3 ? Outcome::kUnknown : Outcome::kFailed;
    delivered.Record(told);
  }
  ASSERT_EQ(delivered.told.size(), 2u);
  EXPECT_EQ(delivered.told[0].outcome, Outcome::kUnknown);
  EXPECT_EQ(delivered.told[1].attempts, 100u);
}

}  // namespace
}  // namespace liveops::notifier
