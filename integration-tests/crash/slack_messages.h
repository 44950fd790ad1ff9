#pragma once

#include <string>
#include <vector>

#include "deploy/local/stack/sink_process.h"

namespace liveops::integration {

// What a Slack message tells, as its reader sees it.
struct SlackMessage {
  std::string alarm_id;
  std::string notice;  // "firing", "resolved", "acknowledged", "proposed", "closed", "no data"; ""
                       // = not understood
  std::string title;
  std::string body;            // the whole, as JSON text
  bool may_be_repeat = false;  // it says so
};

// Those that were posted, in the order of their arrival.
std::vector<SlackMessage> PostedMessages(const std::vector<stack::LedgerEntry>& ledger);

// What is wrong with the whole of it, a sentence each. One message for each (alarm, notice): an
// alarm has one episode in an incident, a notice one remedy. Where `repeats` may be, a second one
// is fine that says so. Whatever fired must be told as resolved.
std::vector<std::string> SlackBreaches(const std::vector<stack::LedgerEntry>& ledger, bool repeats);

}  // namespace liveops::integration
