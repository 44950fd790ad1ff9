#pragma once

#include <optional>
#include <string>

#include "services/notifier/policy/facts.h"
#include "services/notifier/policy/pace.h"

namespace liveops::notifier {

// What came back from a provider, or did not.
struct Answer {
  bool answered = false;
  int status = 0;
  std::string body;
  std::string retry_after;       // the header's text, "" = none
  bool surely_not_sent = false;  // no answer, and the request cannot have arrived
  std::string error;             // no answer: why
};

// What it means: for the notice, for the destination, for people.
struct Reading {
  Outcome outcome = Outcome::kUnknown;
  Health health = Health::kFailed;
  std::optional<Duration> retry_after;
  std::string detail;
};

// What is the same for every provider, by HTTP's own meaning (RFC 9110 §15):
//   429, 503            nothing was done; try again (Retry-After)
//   408                 nothing was done; try again
//   other 4xx, 3xx      refused for good
//   500, 502, 504, …    may have been done (a gateway may fail behind a provider that acted)
//   no answer           nothing was done when it surely was not sent, else it may have been
// 2xx is the provider's own matter and is not read here.
Reading ReadFailure(const Answer& answer);

// Seconds, as a whole number; anything else gives nothing.
std::optional<Duration> ParseRetryAfter(std::string_view text);

}  // namespace liveops::notifier
