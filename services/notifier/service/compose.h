#pragma once

#include <string>

#include "common/http/http.h"
#include "services/notifier/channel/answer.h"
#include "services/notifier/policy/notice.h"
#include "services/notifier/service/registry.h"
#include "services/notifier/service/settings.h"

namespace liveops::notifier {

// One message, ready to leave.
struct Message {
  std::string url;  // a secret where it is a webhook
  std::string body;
  std::string dedup_key;  // "" where the provider has none
};

// What the page of this group says now. `now` is domain time.
Page ComposePage(Registry& registry, const Group& group, const NoticeDecision& notice);

Message ComposeMessage(Registry& registry, const Group& group, const Destination& destination,
                       const NoticeDecision& notice, const Settings& settings);

http::Request ToRequest(const Message& message);

// What the provider's answer means, with secrets struck out of its words.
Reading ReadOutcome(const Destination& destination, const http::Outcome& outcome,
                    const Settings& settings);

}  // namespace liveops::notifier
