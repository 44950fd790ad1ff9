#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "deploy/local/sink/alerts.h"
#include "deploy/local/sink/contract.h"
#include "deploy/local/sink/faults.h"

namespace liveops::sink {

// One request as it came in, just after the last byte of its body was read.
struct Received {
  std::string provider;  // "slack", "pagerduty"
  std::string channel;   // Slack: "#oncall"
  bool change = false;   // PagerDuty: a change event
  std::string content_type;
  std::string body;
  std::int64_t received_us = 0;         // wall clock, Unix microseconds
  std::int64_t received_steady_ns = 0;  // CLOCK_MONOTONIC
};

// What to answer.
struct Answer {
  int status = 200;
  std::string body;
  std::string content_type;
  int retry_after = -1;  // seconds; -1 = no such header
  Duration delay{0};
  bool drop = false;  // close without an answer
};

// Judges requests, keeps PagerDuty's alerts, and writes one JSON line each:
// {"number","received_us","received_steady_ns","provider","channel","kind","status","effect","alert","fault","title",
//  "violations":[…],"body":{…}}. Thread-safe.
class Ledger {
 public:
  // Reads what the file holds (alerts go on from there) and appends to it; "" = memory only.
  // kUnavailable: cannot be opened. kInvalid: a line that is no ledger line.
  static Result<std::unique_ptr<Ledger>> Open(const std::string& file, double slack_rate);
  ~Ledger();

  Answer Take(const Received& request);
  Status AddFault(const nlohmann::json& request);
  void ClearFaults();

  // {"entries":[…],"alerts":[…],"violations":n,"faults":n,"last":n}; entries with a number above
  // `after`, of the last 5,000.
  std::string ToJson(std::int64_t after) const;

 private:
  explicit Ledger(double slack_rate) : rate_(slack_rate) {}
  // Returns the bytes of its whole lines: a last one that a kill cut short is left out.
  Result<std::int64_t> Load(const std::string& file);
  void Append(const nlohmann::json& entry);
  Answer TakeSlack(const Received& request, nlohmann::json& entry, Violations& violations,
                   const nlohmann::json& body);
  Answer TakePagerDuty(const Received& request, nlohmann::json& entry, Violations& violations,
                       const nlohmann::json& body);

  mutable std::mutex mutex_;
  // All below: guarded by mutex_.
  int fd_ = -1;
  std::int64_t last_ = 0;
  std::int64_t violations_ = 0;
  struct Line {
    std::int64_t number;
    std::string text;
  };
  std::deque<Line> lines_;
  AlertBook alerts_;
  FaultQueue faults_;
  RateLimit rate_;
};

}  // namespace liveops::sink
