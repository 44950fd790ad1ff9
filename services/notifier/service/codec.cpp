#include "services/notifier/service/codec.h"

#include "common/base/labels.h"

namespace liveops::notifier {

v1::Notice ToProto(Notice notice) {
  switch (notice) {
    case Notice::kFiring:
      return v1::NOTICE_FIRING;
    case Notice::kAcknowledged:
      return v1::NOTICE_ACKNOWLEDGED;
    case Notice::kRemedyProposed:
      return v1::NOTICE_REMEDY_PROPOSED;
    case Notice::kRemedyClosed:
      return v1::NOTICE_REMEDY_CLOSED;
    case Notice::kResolved:
      return v1::NOTICE_RESOLVED;
    case Notice::kNoData:
      return v1::NOTICE_NO_DATA;
    case Notice::kEased:
      return v1::NOTICE_EASED;
    case Notice::kStale:
      return v1::NOTICE_STALE;
  }
  return v1::NOTICE_UNSPECIFIED;
}

v1::DeliveryOutcome ToProto(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDelivered:
      return v1::DELIVERY_OUTCOME_DELIVERED;
    case Outcome::kFailed:
      return v1::DELIVERY_OUTCOME_FAILED;
    case Outcome::kUnknown:
      return v1::DELIVERY_OUTCOME_UNKNOWN;
    case Outcome::kRejected:
      return v1::DELIVERY_OUTCOME_REJECTED;
    case Outcome::kSuperseded:
      return v1::DELIVERY_OUTCOME_SUPERSEDED;
  }
  return v1::DELIVERY_OUTCOME_UNSPECIFIED;
}

std::optional<Notice> FromProto(v1::Notice notice) {
  for (const Notice known :
       {Notice::kFiring, Notice::kAcknowledged, Notice::kRemedyProposed, Notice::kRemedyClosed,
        Notice::kResolved, Notice::kNoData, Notice::kEased, Notice::kStale}) {
    if (ToProto(known) == notice) return known;
  }
  return std::nullopt;
}

std::optional<Outcome> FromProto(v1::DeliveryOutcome outcome) {
  for (const Outcome known : {Outcome::kDelivered, Outcome::kFailed, Outcome::kUnknown,
                              Outcome::kRejected, Outcome::kSuperseded}) {
    if (ToProto(known) == outcome) return known;
  }
  return std::nullopt;
}

std::optional<plan::Severity> NotedSeverity(v1::Severity severity) {
  return severity == v1::SEVERITY_UNSPECIFIED ? std::nullopt : std::optional(FromProto(severity));
}

v1::Severity ToProto(plan::Severity severity) {
  switch (severity) {
    case plan::Severity::kCritical:
      return v1::SEVERITY_CRITICAL;
    case plan::Severity::kHigh:
      return v1::SEVERITY_HIGH;
    case plan::Severity::kMedium:
      return v1::SEVERITY_MEDIUM;
    case plan::Severity::kLow:
      return v1::SEVERITY_LOW;
  }
  return v1::SEVERITY_UNSPECIFIED;
}

plan::Severity FromProto(v1::Severity severity) {
  switch (severity) {
    case v1::SEVERITY_HIGH:
      return plan::Severity::kHigh;
    case v1::SEVERITY_MEDIUM:
      return plan::Severity::kMedium;
    case v1::SEVERITY_LOW:
      return plan::Severity::kLow;
    default:
      return plan::Severity::kCritical;
  }
}

std::optional<Phase> PhaseOf(v1::AlarmState state) {
  switch (state) {
    case v1::ALARM_STATE_FIRING:
      return Phase::kFiring;
    case v1::ALARM_STATE_NO_DATA:
      return Phase::kNoData;
    case v1::ALARM_STATE_STALE:
      return Phase::kStale;
    case v1::ALARM_STATE_RESOLVED:
      return Phase::kResolved;
    case v1::ALARM_STATE_GONE:
      return Phase::kGone;
    case v1::ALARM_STATE_WITHDRAWN:
      return Phase::kWithdrawn;
    default:
      return std::nullopt;
  }
}

RemedyEnd EndOf(v1::RemediationOutcome outcome) {
  switch (outcome) {
    case v1::REMEDIATION_OUTCOME_VERIFIED:
      return RemedyEnd::kVerified;
    case v1::REMEDIATION_OUTCOME_INEFFECTIVE:
      return RemedyEnd::kIneffective;
    case v1::REMEDIATION_OUTCOME_FAILED:
      return RemedyEnd::kFailed;
    case v1::REMEDIATION_OUTCOME_REFUSED:
      return RemedyEnd::kRefused;
    case v1::REMEDIATION_OUTCOME_EXPIRED:
      return RemedyEnd::kExpired;
    case v1::REMEDIATION_OUTCOME_WITHDRAWN:
      return RemedyEnd::kWithdrawn;
    default:
      return RemedyEnd::kUnknown;
  }
}

v1::DeliveryState ToProto(const Delivered& delivered, std::string_view group,
                          const Destination& destination, std::string_view alarm_id,
                          Instant episode, bool closed) {
  v1::DeliveryState state;
  state.set_group(std::string(group));
  state.set_destination(destination.Id());
  state.set_alarm_id(std::string(alarm_id));
  state.set_episode_ms(ToMs(episode));
  state.set_closed(closed);
  for (const Told& entry : delivered.told) {
    v1::DeliveryState::Told* told = state.add_told();
    told->set_notice(ToProto(entry.notice));
    told->set_outcome(ToProto(entry.outcome));
    told->set_attempts(entry.attempts);
    told->set_clock_ms(ToMs(entry.clock));
    told->set_detail(entry.detail);
    told->set_subject(entry.subject);
    told->set_step(entry.step);
    if (entry.severity) told->set_severity(ToProto(*entry.severity));
  }
  return state;
}

Delivered FromProto(const v1::DeliveryState& state) {
  Delivered delivered;
  for (const v1::DeliveryState::Told& told : state.told()) {
    const auto notice = FromProto(told.notice());
    const auto outcome = FromProto(told.outcome());
    if (!notice || !outcome) continue;
    Told entry;
    entry.notice = *notice;
    entry.outcome = *outcome;
    entry.attempts = told.attempts();
    entry.clock = InstantFromMs(told.clock_ms());
    entry.detail = told.detail();
    entry.subject = told.subject();
    entry.step = told.step();
    entry.severity = NotedSeverity(told.severity());
    delivered.told.push_back(std::move(entry));
  }
  return delivered;
}

std::string AttemptKey(std::string_view group, const Destination& destination) {
  return "attempt/" + std::string(group) + "/" + destination.Id();
}

std::string StateKey(std::string_view group, const Destination& destination) {
  return "state/" + std::string(group) + "/" + destination.Id();
}

bool IsAttemptOrStateKey(std::string_view key) {
  return key.starts_with("attempt/") || key.starts_with("state/");
}

std::string GroupLabels(const v1::AlarmTransition& transition) {
  Labels labels;
  for (const v1::Label& label : transition.group()) labels.Set(label.name(), label.value());
  return labels.ToString();
}

Page PageOf(const v1::AlarmTransition& t, Phase phase) {
  Page page;
  page.phase = phase;
  page.alarm_id = t.alarm_id();
  page.service = t.service();
  page.name = t.name();
  page.labels = GroupLabels(t);
  page.episode = InstantFromMs(t.episode_ms());
  page.severity = FromProto(t.severity());
  page.owner = t.owner();
  page.summary = t.summary();
  if (!t.budget().empty()) page.summary += (page.summary.empty() ? "" : " ") + t.budget() + ".";
  page.expression = t.expression();
  page.reason = t.reason();
  page.comparison = t.comparison();
  page.unit = t.unit();
  page.compared = t.compared();
  page.value = t.value();
  page.value_low = t.value_low();
  page.value_high = t.value_high();
  page.threshold = t.threshold();
  page.peak = t.peak();
  page.window = Duration(static_cast<std::int64_t>(t.window_ms()));
  page.hold = Duration(static_cast<std::int64_t>(t.hold_ms()));
  page.duration = Duration(static_cast<std::int64_t>(t.duration_ms()));
  page.since = InstantFromMs(t.since_ms());
  page.clock = InstantFromMs(t.clock_ms());
  page.clock_real = RealFromMs(t.clock_real_ms());
  page.points = t.points();
  page.plan_version = t.plan_version();
  page.runbook = t.runbook();
  page.origin = t.origin();
  page.link = t.link();
  page.heard = InstantFromMs(t.heard_ms());
  page.swings = t.swings();
  page.flaps_within = Duration(static_cast<std::int64_t>(t.flaps_within_ms()));
  page.groups_refused = t.groups_refused();
  page.quiet = Duration(static_cast<std::int64_t>(t.quiet_ms()));
  for (const v1::Contribution& c : t.top()) page.top.push_back({c.label(), c.value(), c.share()});
  for (const v1::Change& c : t.changes()) {
    page.changes.push_back({c.description(), InstantFromMs(c.time_ms())});
  }
  return page;
}

}  // namespace liveops::notifier
