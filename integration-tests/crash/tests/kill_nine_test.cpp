// Promises E2, N2, N3, R1 and R4 under kill -9: each service is killed before, inside and after
// each hand-over of one incident.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <tuple>

#include "integration-tests/crash/incident.h"
#include "integration-tests/crash/must.h"

namespace liveops::integration {
namespace {

using stack::Service;
using ::testing::IsEmpty;

constexpr double kSpeed = 30;

enum class Step { kPage, kEffect, kResolve };

const char* StepName(Step step) {
  switch (step) {
    case Step::kPage:
      return "page";
    case Step::kEffect:
      return "effect";
    case Step::kResolve:
      return "resolve";
  }
  return "";
}

class KillNine : public ::testing::TestWithParam<std::tuple<Service, Step>> {
 protected:
  Status Kill() { return incident_->KillAndRestart(std::get<0>(GetParam()), Duration(300)); }
  bool At(Step step) const { return std::get<1>(GetParam()) == step; }

  std::unique_ptr<Incident> incident_;
};

TEST_P(KillNine, OneAlertOneRollbackAndItRecovers) {
  const auto [service, step] = GetParam();
  auto started =
      Incident::Start(std::string(stack::ServiceName(service)) + "-" + StepName(step), kSpeed);
  ASSERT_TRUE(started.ok()) << started.error().message;
  incident_ = std::move(*started);

  if (At(Step::kPage)) MUST(incident_->SlowProviders(1, Duration(1500)));
  MUST(incident_->RollOut());
  if (At(Step::kPage)) {
    std::this_thread::sleep_for(Duration(2000));
    MUST(Kill());  // before: the hold runs
    MUST(incident_->AwaitFirstRequest());
    MUST(Kill());  // inside: the provider has the request and has not answered
  }
  MUST(incident_->AwaitProposal());
  MUST(incident_->AwaitPages());
  if (At(Step::kPage)) {
    std::this_thread::sleep_for(Duration(2000));  // every answer is in and recorded
    MUST(Kill());                                 // after
  }

  if (At(Step::kEffect)) {
    MUST(Kill());  // before: proposed, not approved
    MUST(incident_->SlowCluster(Duration(0), Duration(1500)));
  }
  MUST(incident_->Approve());
  MUST(incident_->AwaitEffect());
  if (At(Step::kEffect)) MUST(Kill());  // inside: the change is made, the tool has not returned
  if (At(Step::kEffect)) {
    MUST(incident_->AwaitRecordedEffect());
    MUST(Kill());  // after
  }

  if (At(Step::kResolve)) {
    MUST(incident_->SlowProviders(1, Duration(1500)));
    MUST(Kill());  // before
    MUST(incident_->AwaitFirstResolve());
    MUST(Kill());  // inside
  }
  MUST(incident_->AwaitVerified());
  MUST(incident_->AwaitResolved());
  if (At(Step::kResolve)) {
    MUST(Kill());  // after
    std::this_thread::sleep_for(
        Duration(7000));  // a new owner's first decisions: it must have nothing to tell
  }
  EXPECT_THAT(incident_->Breaches(), IsEmpty());
}

// R4: the executor dies with its tool before the change was made. Nobody can know that from
// outside: it is read back, a person is asked, and it is never run again.
TEST(KilledBeforeTheChange, IsUnknownAndNeverRunAgain) {
  auto started = Incident::Start("unknown", kSpeed);
  ASSERT_TRUE(started.ok()) << started.error().message;
  Incident& incident = **started;
  MUST(incident.RollOut());
  MUST(incident.AwaitProposal());
  MUST(incident.SlowCluster(Duration(5000), Duration(0)));
  MUST(incident.Approve());
  MUST(incident.AwaitIntent());
  MUST(incident.KillAndRestart(Service::kRemediation, Duration(300)));
  MUST(incident.SlowCluster(Duration(0), Duration(0)));
  MUST(incident.AwaitOutcome("unknown"));
  MUST(incident.AwaitToldUnknown());
  std::this_thread::sleep_for(Duration(3000));
  EXPECT_EQ(incident.Rollbacks(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    EachService, KillNine,
    ::testing::Combine(::testing::Values(Service::kIngest, Service::kRuleEvaluation,
                                         Service::kNotifier, Service::kRemediation),
                       ::testing::Values(Step::kPage, Step::kEffect, Step::kResolve)),
    [](const auto& test) {
      std::string name = std::string(stack::ServiceName(std::get<0>(test.param))) + "_" +
                         StepName(std::get<1>(test.param));
      for (char& c : name) c = c == '-' ? '_' : c;
      return name;
    });

}  // namespace
}  // namespace liveops::integration
