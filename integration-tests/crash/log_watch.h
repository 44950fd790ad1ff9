#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/kafka/kafka.h"
#include "deploy/local/stack/stack.h"

namespace liveops::integration {

// A kind of record that one part of the system hands to another, and the topic that it stands in.
struct HandOver {
  const char* name;
  const char* topic;
  bool (*is)(const kafka::Record&);
};

extern const HandOver kTransition;  // a paging alarm fires: rule-evaluation -> notifier
extern const HandOver kAttempt;     // notifier's mark before a page leaves for Slack
extern const HandOver kProposal;    // remediation -> notifier and people
extern const HandOver kApproval;    // a person -> remediation
extern const HandOver kIntent;      // remediation's mark before it acts
extern const HandOver kProbe;       // remediation -> rule-evaluation: did it help?

// Reads the whole topic of a hand-over, and learns of a record about as soon as the services that
// read it do. Not thread-safe.
class LogWatch {
 public:
  static Result<std::unique_ptr<LogWatch>> Open(stack::Stack& stack, const HandOver& hand_over);

  // True once such a record was read, false when none came within `timeout`.
  Result<bool> Seen(Duration timeout);

 private:
  LogWatch(std::unique_ptr<kafka::AssignedConsumer> consumer, const HandOver& hand_over)
      : consumer_(std::move(consumer)), hand_over_(hand_over) {}

  std::unique_ptr<kafka::AssignedConsumer> consumer_;
  const HandOver& hand_over_;
  bool seen_ = false;
};

// What stands in metrics.v1 of the batches of one service, each of which says its emitter, session
// and sequence.
struct BatchCount {
  int batches = 0;
  int missing = 0;  // sequences below the newest of their session that are not there
  int again = 0;    // records that repeat an earlier one's sequence
};
Result<BatchCount> CountBatches(stack::Stack& stack, const std::string& service);

}  // namespace liveops::integration
