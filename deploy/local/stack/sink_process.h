#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "deploy/local/stack/process.h"

namespace liveops::stack {

// One request that the sink received (deploy/local/sink/ledger.h), as the demo and the tests look
// at it.
struct LedgerEntry {
  std::int64_t number = 0;  // 1, 2, …
  std::int64_t received_us =
      0;  // wall clock, Unix microseconds, when the body's last byte was read
  std::int64_t received_steady_ns =
      0;  // CLOCK_MONOTONIC at the same moment: comparable over processes of one host
  std::string provider;    // "slack", "pagerduty"
  std::string channel;     // Slack: "#oncall"
  std::string kind;        // "message", "trigger", "acknowledge", "resolve", "change"
  int status = 0;          // what it answered; 0 = it closed the connection without an answer
  std::string effect;      // "posted", "opened", "merged", "acknowledged", "resolved", "dropped",
                           // "recorded", ""
  std::int64_t alert = 0;  // PagerDuty: the alert that it changed
  std::string fault;       // the injected fault, "" = none
  std::vector<std::string> violations;  // of the provider's contract
  std::string title;                    // Slack: header or text; PagerDuty: summary
  std::string alarm_id;                 // PagerDuty custom_details
  std::string dedup_key;                // PagerDuty
  std::string severity;                 // PagerDuty
  std::int64_t clock_real_ms = 0;       // PagerDuty custom_details; 0 = missing
  std::int64_t episode_ms = 0;          // likewise
  std::string body;                     // the whole, as JSON text
};

// What the sink does to the next requests instead of answering well.
struct Fault {
  std::string provider;            // "slack", "pagerduty", "" = both
  std::string channel;             // "#oncall"; "" = any
  int count = 1;                   // of requests
  int status = 0;                  // answer with this one; 0 = the usual answer
  std::optional<int> retry_after;  // seconds
  Duration delay{0};               // before the answer
  bool drop = false;               // read the body, then close without an answer
  std::optional<bool> apply;  // does the provider act on it? By default only when `drop` or when
                              // the answer is usual
};

// The sink (liveops-sink). Not thread-safe.
class SinkProcess {
 public:
  static Result<std::unique_ptr<SinkProcess>> Start(const std::string& binary,
                                                    const std::string& dir, int port,
                                                    double slack_messages_per_second);
  Status WaitReady(Duration timeout);

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string SlackUrl(const std::string& channel) const;  // of a webhook; "#oncall"
  std::string ledger_file() const { return dir_ + "/ledger.jsonl"; }
  const std::string& log_file() const { return process_->log_file(); }
  ChildProcess& process() { return *process_; }

  // Entries with a number above `after`. kUnavailable.
  Result<std::vector<LedgerEntry>> Ledger(std::int64_t after = 0) const;
  Status Inject(const Fault& fault) const;
  Status ClearFaults() const;

  void Stop();
  void Kill();
  Status Restart(Duration timeout);  // keeps the ledger

 private:
  SinkProcess(std::string binary, std::string dir, int port, double rate)
      : binary_(std::move(binary)), dir_(std::move(dir)), port_(port), rate_(rate) {}
  Status Launch();

  std::string binary_;
  std::string dir_;
  int port_;
  double rate_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace liveops::stack
