// Promises E2, N2, N3, R1, R4 and I3 under kill -9 of a service that is truly at work: the record
// that it hands over, or has just been handed, stands in the log and nothing has come of it yet.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <thread>

#include "integration-tests/crash/incident.h"
#include "integration-tests/crash/log_watch.h"
#include "integration-tests/crash/must.h"

namespace liveops::integration {
namespace {

using stack::Service;
using ::testing::IsEmpty;

constexpr double kSpeed = 30;
constexpr Duration kDown{300};

struct AtWork {
  Service killed;
  const HandOver& at;
};

std::string NameOf(const AtWork& at_work) {
  std::string name = std::string(stack::ServiceName(at_work.killed)) + "_" + at_work.at.name;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

void PrintTo(const AtWork& at_work, std::ostream* out) { *out << NameOf(at_work); }

class KilledAtWork : public ::testing::TestWithParam<AtWork> {
 protected:
  bool At(const HandOver& hand_over) const { return &GetParam().at == &hand_over; }
  bool AfterTheApproval() const { return At(kApproval) || At(kIntent) || At(kProbe); }

  // Until the hand-over's record stands in the log, and not a moment longer.
  void PlayUpTo(Incident& incident, LogWatch& watch) {
    // The first page is answered late: its sender is killed before its request, or inside it.
    if (At(kAttempt)) MUST(incident.SlowProviders(1, Duration(1500)));
    MUST(incident.RollOut());
    if (!AfterTheApproval()) {
      MUST(Incident::AwaitRecord(watch));
      return;
    }
    MUST(incident.AwaitProposal());
    MUST(incident.AwaitPages());
    // A new owner hears an approval at once and may not act on it for 5 s, so that no intent
    // follows before the kill.
    if (At(kApproval)) MUST(incident.KillAndRestart(GetParam().killed, kDown));
    MUST(incident.ApproveUntil(watch));
  }

  // Had the executor begun when it was killed? Then only a look at the cluster can tell how it
  // ended.
  static bool Begun(Incident& incident) {
    auto watch = LogWatch::Open(incident.stack(), kIntent);
    if (!watch.ok()) return false;
    auto seen = (*watch)->Seen(Duration(2'000));
    return seen.ok() && *seen;
  }
};

TEST_P(KilledAtWork, OneAlertAtMostOneRollbackAndItRecovers) {
  const Service killed = GetParam().killed;
  auto started = Incident::Start("at-work-" + NameOf(GetParam()), kSpeed);
  ASSERT_TRUE(started.ok()) << started.error().message;
  Incident& incident = **started;
  auto watch = LogWatch::Open(incident.stack(), GetParam().at);
  ASSERT_TRUE(watch.ok()) << watch.error().message;

  PlayUpTo(incident, **watch);
  if (HasFatalFailure()) return;
  incident.Kill(killed);
  auto ledger = incident.stack().sink().Ledger();
  if (ledger.ok())
    RecordProperty("requests_right_after_the_kill", static_cast<int>(ledger->size()));
  const bool begun = AfterTheApproval() && Begun(incident);
  std::this_thread::sleep_for(kDown);
  MUST(incident.Restart(killed));

  MUST(incident.AwaitProposal());
  MUST(incident.AwaitPages());
  if (!AfterTheApproval()) MUST(incident.Approve());
  const auto outcome = incident.AwaitAnyOutcome();
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  RecordProperty("outcome", *outcome);
  if (begun && !At(kProbe) && *outcome == "unknown") {
    EXPECT_EQ(incident.Rollbacks(), 0) << "what was done must be found by reading back";
    MUST(incident.AwaitToldUnknown());
    MUST(incident.RollBackByHand());
    MUST(incident.AwaitResolved());
    EXPECT_THAT(incident.Breaches(/*rollbacks=*/0), IsEmpty());
    return;
  }
  EXPECT_EQ(*outcome, "verified");
  MUST(incident.AwaitResolved());
  EXPECT_THAT(incident.Breaches(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(EachHandOver, KilledAtWork,
                         ::testing::Values(AtWork{Service::kRuleEvaluation, kTransition},
                                           AtWork{Service::kNotifier, kTransition},
                                           AtWork{Service::kNotifier, kAttempt},
                                           AtWork{Service::kRemediation, kProposal},
                                           AtWork{Service::kRemediation, kApproval},
                                           AtWork{Service::kRemediation, kIntent},
                                           AtWork{Service::kRuleEvaluation, kProbe}),
                         [](const auto& test) { return NameOf(test.param); });

// I1, I3: ingest dies with writes under way. The broker is frozen meanwhile, so that none of them
// can be answered; thawed, it still takes what had reached it, and the emitter sends all again.
TEST(KilledWithWritesUnderWay, NoBatchIsLostAndTheIncidentGoesOn) {
  auto started = Incident::Start("at-work-ingest", kSpeed);
  ASSERT_TRUE(started.ok()) << started.error().message;
  Incident& incident = **started;
  MUST(incident.RollOut());
  std::this_thread::sleep_for(Duration(2'000));  // the hold runs
  stack::ChildProcess& broker = incident.stack().kafka().process();
  broker.Signal(SIGSTOP);
  std::this_thread::sleep_for(Duration(600));  // several batches are due in it
  incident.Kill(Service::kIngest);
  broker.Signal(SIGCONT);
  std::this_thread::sleep_for(kDown);
  MUST(incident.Restart(Service::kIngest));

  MUST(incident.AwaitProposal());
  MUST(incident.AwaitPages());
  MUST(incident.Approve());
  MUST(incident.AwaitVerified());
  MUST(incident.AwaitResolved());
  EXPECT_THAT(incident.Breaches(), IsEmpty());
  const auto count = CountBatches(incident.stack(), "backend-api");
  ASSERT_TRUE(count.ok()) << count.error().message;
  EXPECT_GE(count->batches, 100);
  EXPECT_EQ(count->missing, 0);
  RecordProperty("batches_written_again", count->again);
}

}  // namespace
}  // namespace liveops::integration
