#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "deploy/local/sandbox/api.h"
#include "deploy/local/stack/stack.h"
#include "integration-tests/crash/log_watch.h"

namespace liveops::integration {

// One incident under deploy/plans/backend-api.yaml, played by the real processes at a multiple of
// real time: quiet traffic, a bad rollout, page and proposal, approval by a second identity,
// rollback, verification, recovery. Each step is awaited, so that a test can do harm in between.
class Incident {
 public:
  // Starts a fresh stack in a folder of its own, applies the plan and lets traffic flow.
  static Result<std::unique_ptr<Incident>> Start(const std::string& name, double speed);
  // What a failed test leaves is for its reader, who is told where it lies.
  ~Incident();

  stack::Stack& stack() { return *stack_; }

  Status RollOut();     // the bad image
  Status AwaitPages();  // both critical alarms opened an alert in PagerDuty and are told in Slack
  Status AwaitFirstRequest();  // a page reached a provider (perhaps not yet answered)
  Status AwaitProposal();
  Status Approve();
  // Lets a person approve, and returns as soon as the watch saw its record: the answer is not
  // waited for.
  Status ApproveUntil(LogWatch& watch);
  static Status AwaitRecord(LogWatch& watch);
  Status AwaitIntent();          // the executor wrote its intent
  Status AwaitEffect();          // the rollback stands in the cluster
  Status AwaitRecordedEffect();  // and the executor recorded it
  Status AwaitVerified();
  Status AwaitOutcome(const std::string& outcome);
  Result<std::string> AwaitAnyOutcome();
  Status AwaitToldUnknown();   // Slack says that nobody knows whether the remedy ran
  Status RollBackByHand();     // what a person does then
  Status AwaitResolved();      // every alert is resolved in PagerDuty, and told so in Slack
  Status AwaitFirstResolve();  // a resolve reached PagerDuty (perhaps not yet answered)

  // The next requests of both providers are answered late, so that a sender can be killed in the
  // middle.
  Status SlowProviders(int requests, Duration delay);
  // `rollout undo` waits so long before and after its change.
  Status SlowCluster(Duration before, Duration after);

  // SIGKILL, a pause, and the same again.
  Status KillAndRestart(stack::Service service, Duration down);

  void Kill(stack::Service service);  // SIGKILL
  Status Restart(stack::Service service);

  // Everything that must hold at the end, one sentence for each breach: PagerDuty exactly one alert
  // an episode, Slack one message for each notice (where the notifier was killed perhaps a second
  // one, which says that it may be a repeat) and the resolve, so many rollbacks.
  std::vector<std::string> Breaches(int rollbacks = 1);
  // How often the cluster was rolled back; -1 when it cannot be told.
  int Rollbacks() const;

 private:
  Incident() = default;
  static Status Await(const std::string& what, Duration timeout,
                      const std::function<bool()>& reached);
  const sandbox::RemediationView* Proposal();

  std::string dir_;
  bool started_ = false;
  std::set<stack::Service> killed_;
  std::unique_ptr<stack::Stack> stack_;
  std::unique_ptr<stack::ChildProcess> workload_;
  std::unique_ptr<stack::ChildProcess> approver_;  // liveopsctl, once ApproveUntil was called
  std::unique_ptr<sandbox::Api> api_;
  std::vector<sandbox::RemediationView> remediations_;
};

}  // namespace liveops::integration
