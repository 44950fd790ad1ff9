#pragma once

#include <string>
#include <string_view>

#include "liveops/v1/alarms.pb.h"
#include "liveops/v1/notifications.pb.h"
#include "liveops/v1/remediations.pb.h"
#include "services/notifier/channel/page.h"
#include "services/notifier/policy/facts.h"

// Between the records on Kafka and the policy's own words. Pure.
namespace liveops::notifier {

v1::Notice ToProto(Notice notice);
v1::DeliveryOutcome ToProto(Outcome outcome);
std::optional<Notice> FromProto(v1::Notice notice);
std::optional<Outcome> FromProto(v1::DeliveryOutcome outcome);
v1::Severity ToProto(plan::Severity severity);
// Nothing where it was not noted.
std::optional<plan::Severity> NotedSeverity(v1::Severity severity);
plan::Severity FromProto(
    v1::Severity severity);  // unspecified counts as critical: rather loud than lost
// Nothing for states that are never a transition.
std::optional<Phase> PhaseOf(v1::AlarmState state);
RemedyEnd EndOf(v1::RemediationOutcome outcome);

v1::DeliveryState ToProto(const Delivered& delivered, std::string_view group,
                          const Destination& destination, std::string_view alarm_id,
                          Instant episode, bool closed);
// Entries of an unknown kind (written by a newer version) are left out.
Delivered FromProto(const v1::DeliveryState& state);

std::string AttemptKey(std::string_view group, const Destination& destination);
std::string StateKey(std::string_view group, const Destination& destination);
bool IsAttemptOrStateKey(std::string_view key);

// `{name="value",…}`, "" without labels.
std::string GroupLabels(const v1::AlarmTransition& transition);

// What a transition says, as a page shows it.
Page PageOf(const v1::AlarmTransition& transition, Phase phase);

}  // namespace liveops::notifier
