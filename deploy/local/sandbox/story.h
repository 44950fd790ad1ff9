#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/local/sandbox/api.h"
#include "deploy/local/sandbox/timeline.h"
#include "deploy/local/stack/cluster.h"
#include "deploy/local/stack/sink_process.h"

namespace liveops::sandbox {

// How the incident must go under deploy/plans/backend-api.yaml.
struct Script {
  std::string service = "backend-api";
  // Alarms that must page, each exactly once; no other may.
  std::vector<std::string> alarms = {"backend-api/error-rate-critical",
                                     "backend-api/latency-critical"};
  // Those that need ten minutes of the same trouble: they join in, at most once each, when nobody
  // approves.
  std::vector<std::string> late_alarms = {"backend-api/error-rate-high",
                                          "backend-api/latency-high"};
  std::string scenario = "api-error-surge";
  std::string good_image = "backend-api:2.3.1";
  std::string bad_image = "backend-api:2.4.0";
  // How Slack's messages about the alarms begin, behind the emoji.
  std::string firing_word = "CRITICAL: ";
  std::string resolved_word = "RESOLVED: ";
};

struct CheckResult {
  bool good = false;
  std::string text;
};

// What was observed so far, and what it means: turns observations into lines of the timeline and
// judges the whole at the end. Pure: time comes with each observation. Not thread-safe.
class Story {
 public:
  explicit Story(Script script) : script_(std::move(script)) {}

  void OnLedger(const stack::LedgerEntry& entry);
  void OnDeployment(const stack::DeploymentState& state, std::int64_t now_us);
  void OnAlarms(const std::vector<AlarmView>& open, std::int64_t now_us);
  void OnRemediations(const std::vector<RemediationView>& all, std::int64_t now_us);

  // Something else that the timeline tells.
  void Add(Line line) { lines_.push_back(std::move(line)); }
  // Lines not yet taken of what happened up to `until_us`, oldest first.
  std::vector<Line> TakeLines(std::int64_t until_us);

  // The proposal of the scripted scenario, once it was seen.
  const std::optional<RemediationView>& proposal() const { return proposal_; }
  std::int64_t proposed_us() const { return proposed_us_; }  // 0 = not yet
  bool all_paged() const;
  // Everything that the script tells has happened.
  bool complete() const;

  // The verdict: every point that must hold. `changes`: command lines that changed the cluster, if
  // it keeps them.
  std::vector<CheckResult> Judge(const std::optional<std::vector<std::string>>& changes) const;
  // Without approval: what must hold then.
  std::vector<CheckResult> JudgeUnapproved(
      const std::optional<std::vector<std::string>>& changes) const;
  // What is not as it must be when nobody approved (the bad version runs, every alarm of the script
  // fires), a sentence part each; empty: all of it is.
  std::vector<std::string> NotAsWithoutApproval() const;

 private:
  void OnPagerDuty(const stack::LedgerEntry& entry);
  void OnSlack(const stack::LedgerEntry& entry);
  void OnRemediation(const RemediationView& now, std::int64_t now_us);
  bool all_resolved() const;
  bool all_resolved_in_slack() const;
  // A message that begins with `word` speaks of the alarm.
  bool ToldInSlack(const std::string& alarm_id, std::string_view word) const;
  bool ProposalInSlack() const;
  bool ProposalInPagerDuty() const;
  bool OutcomeInSlack() const;
  std::string ShortName(const std::string& alarm_id) const;
  void AddSendingChecks(bool approved, std::vector<CheckResult>& checks) const;
  void AddSlackChecks(bool approved, std::vector<CheckResult>& checks) const;
  bool Expected(const std::string& alarm_id, bool approved) const;

  struct Paged {
    std::int64_t opened = 0;  // alerts opened for it
    std::int64_t resolved = 0;
    double latency_ms = 0;  // of the first opening
  };
  struct Post {                    // a message that Slack took
    std::string title;             // without its emoji
    std::string body;              // JSON text
    std::set<std::string> alarms;  // alarm ids that it speaks of
  };

  Script script_;
  std::vector<Line> lines_;
  std::map<std::string, Paged> paged_;  // by alarm id
  std::vector<Post> posts_;             // in Slack
  std::vector<std::string> alerts_;     // bodies that opened or added to an alert in PagerDuty
  std::vector<std::string> breaches_;   // of the providers' contracts
  std::int64_t refused_ = 0;            // requests answered with an error
  std::map<std::string, std::string> alarm_states_;
  std::vector<AlarmView> open_;  // newest
  std::string image_;
  std::optional<RemediationView> proposal_;
  std::map<std::string, RemediationView> remediations_;
  std::int64_t proposed_us_ = 0;
};

}  // namespace liveops::sandbox
