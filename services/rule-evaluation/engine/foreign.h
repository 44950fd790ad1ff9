#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/labels.h"
#include "common/base/time.h"
#include "common/plan/model.h"
#include "services/rule-evaluation/engine/record.h"
#include "services/rule-evaluation/engine/transition.h"

namespace liveops::engine {

// An alarm of the service that somebody else judges (Prometheus, CloudWatch, …) and tells of, again
// and again while it fires. What is not told again in time is stale: open as before, and said to be
// so; only a word that it is over resolves it. Prometheus tells each minute and says that its word
// is good for four (notifier.go, sendAlerts).
struct ForeignAlert {
  std::string source;  // "alertmanager"
  std::string name;    // of the alarm: "alertmanager:HighErrorRate"
  Labels labels;
  AlarmState state = AlarmState::kOk;  // kOk: it is over; kFiring or kStale
  Instant episode{};                   // of the open or the last one
  std::uint32_t step = 0;              // of the last transition
  Instant state_since{};               // partition clock when the state was entered
  Instant starts{};                    // of the episode, as it was told first
  Instant newest_start{};              // the latest that was told
  Instant until{};  // open: so long the last word is good; over: when it ended, as told
  Instant heard{};  // partition clock at the last word
  plan::Severity severity = plan::Severity::kHigh;
  std::string summary;
  std::string runbook;
  std::string link;

  bool changed = true;  // for TakeChanged; no part of the state
};
using ForeignAlerts = std::map<std::string, ForeignAlert, std::less<>>;  // by alarm id

// What a word of others says of how bad it is, in any case of letters: critical, page, emergency,
// fatal, P1, SEV1 -> critical; high, warning, warn, error, major, P2, SEV2 -> high; medium,
// moderate, minor, ticket, P3, SEV3 -> medium; low, info, information, informational, notice, none,
// P4, P5, SEV4, SEV5 -> low. Any other, and none, is high: what nobody can read must not go
// unheard.
plan::Severity SeverityOfWord(std::string_view word);

// The summary, then the description where it says more; "" when both are.
std::string ForeignSummary(std::string_view summary, std::string_view description);

// --- foreign.cpp: steps of Shard::Apply, as those in state.h ---
struct State;
struct Service;
void TakeForeign(State& s, const ExternalAlertView& alert, std::vector<Transition>& out);
// Those that were not told again in time are stale, where they could have been.
void JudgeForeign(State& s, std::vector<Transition>& out);
// The log says how it stands; true = that is news.
bool AdoptForeign(State& s, const Transition& truth);
// Whose they are from now on.
void OwnForeign(State& s, Service& service, std::string owner);
// Forgets those that have long been over.
void HousekeepForeign(State& s, Service& service);
AlarmView ViewOf(const State& s, const Service& service, const std::string& id,
                 const ForeignAlert& alert);

}  // namespace liveops::engine
