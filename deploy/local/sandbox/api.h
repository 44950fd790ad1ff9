#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/rpc/server.h"

namespace liveops::sandbox {

struct AlarmView {
  std::string id;
  std::string state;   // "pending", "firing", "no_data", …
  bool pages = false;  // purpose PAGE
  std::string expression;
  std::string value;      // "8.1 %", "" when unknown
  std::string threshold;  // "> 1 %"
  Duration hold{0};
};

struct RemediationView {
  std::string id;
  std::string scenario;
  std::string action;     // for people: what would be done
  std::string condition;  // what was seen
  std::string command;    // argv, joined
  std::string expect;
  std::string approved_by;  // "" = not
  std::string denied_by;
  bool running = false;  // an intent stands
  std::string effect;    // what was observed after it ran; "" = not yet
  std::string outcome;   // "verified", "ineffective", …; "" = open
  std::string detail;    // of the outcome
};

// What viewers may ask of rule-evaluation and remediation, as plain values. Thread-safe.
class Api {
 public:
  Api(const std::string& evaluation, const std::string& remediation, const rpc::TlsFiles& tls);
  ~Api();

  // Those that are pending, firing or without data. kUnavailable: no answer within 2 s.
  Result<std::vector<AlarmView>> OpenAlarms() const;
  Result<std::vector<RemediationView>> Remediations() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace liveops::sandbox
