#include "services/remediation/service/scenarios.h"

#include <cmath>

#include "common/base/text.h"
#include "common/plan/parse.h"
#include "common/runtime/ownership.h"
#include "common/runtime/topics.h"
#include "common/telemetry/log.h"
#include "liveops/v1/alarms.pb.h"

namespace liveops::remediation {
namespace {

// "12.4 % > 5 % for 3min"
std::string Seen(const v1::AlarmTransition& t) {
  std::string text =
      std::isnan(t.value()) ? std::string("no value") : FormatValue(t.value(), t.unit());
  text += " " + t.comparison() + " " + FormatValue(t.threshold(), t.unit());
  if (t.hold_ms() > 0)
    text += " for " + FormatDuration(Duration(static_cast<std::int64_t>(t.hold_ms())));
  return text;
}

}  // namespace

Result<std::optional<Instant>> Scenarios::Apply(const kafka::Record& record) {
  EpochFilter& filter = filters_.at(static_cast<std::size_t>(record.partition));
  if (record.value.empty()) return std::optional<Instant>();  // a tombstone
  v1::AlarmRecord alarm;
  if (!alarm.ParseFromString(record.value)) return InvalidError("not an AlarmRecord");
  if (alarm.has_claim()) {
    filter.Claim(record.offset);
    return std::optional<Instant>();
  }
  if (!filter.Valid(runtime::EpochOf(record))) return std::optional<Instant>();
  if (alarm.has_plan()) {
    const v1::PlanInForce& in_force = alarm.plan();
    const auto it = plans_.find(in_force.service());
    if (it == plans_.end() || it->second.origin.version <= in_force.version()) {
      plan::ParseResult parsed = plan::Parse(in_force.text());
      PlanOrigin origin{in_force.version(), in_force.applied_by()};
      // A build that does not keep the name may repeat the record without it.
      if (it != plans_.end() && it->second.origin.version == origin.version &&
          origin.applied_by.empty()) {
        origin.applied_by = it->second.origin.applied_by;
      }
      if (parsed.ok()) {
        plans_.insert_or_assign(in_force.service(),
                                InForce{std::move(origin), std::move(parsed.plan)});
      } else {
        log::Warn("plan_not_read",
                  {{"plan", in_force.service()},
                   {"problem", parsed.problems.front().ToString(in_force.service())}});
      }
    }
    return std::optional(InstantFromMs(in_force.clock_ms()));
  }
  if (!alarm.has_transition()) return std::optional<Instant>();
  const v1::AlarmTransition& t = alarm.transition();
  if (t.purpose() == v1::PURPOSE_PROBE) {
    probes_[t.probe_id()] = {t.state() == v1::ALARM_STATE_FIRING,
                             std::isnan(t.value()) ? "" : FormatValue(t.value(), t.unit())};
  } else if (t.purpose() == v1::PURPOSE_SCENARIO) {
    Scenario& s = scenarios_[t.alarm_id()];
    const Instant episode = InstantFromMs(t.episode_ms());
    if (!s.firing.alarm_id.empty() &&
        (episode < s.firing.episode || (episode == s.firing.episode && t.step() <= s.step))) {
      return std::optional(InstantFromMs(t.clock_ms()));  // not after the last one held
    }
    const bool same = episode == s.firing.episode;
    s.firing.alarm_id = t.alarm_id();
    s.firing.service = t.service();
    s.firing.scenario = std::string(ScenarioOf(t.name()));
    s.firing.episode = episode;
    s.step = t.step();
    s.firing_now = t.state() == v1::ALARM_STATE_FIRING;
    s.open = s.firing_now || t.state() == v1::ALARM_STATE_NO_DATA;
    if (s.firing_now || !same) s.firing.condition = Seen(t);
    const std::string* trace = record.FindHeader(runtime::kTraceHeader);
    if (trace != nullptr && (s.firing_now || s.traceparent.empty())) s.traceparent = *trace;
  }
  return std::optional(InstantFromMs(t.clock_ms()));
}

const Scenarios::Scenario* Scenarios::Find(std::string_view alarm_id) const {
  const auto it = scenarios_.find(alarm_id);
  return it == scenarios_.end() ? nullptr : &it->second;
}

bool Scenarios::Over(std::string_view alarm_id, Instant episode) const {
  const Scenario* s = Find(alarm_id);
  if (s == nullptr) return false;
  return s->firing.episode > episode || (s->firing.episode == episode && !s->open);
}

const Scenarios::InForce* Scenarios::PlanOf(std::string_view service) const {
  const auto it = plans_.find(service);
  return it == plans_.end() ? nullptr : &it->second;
}

const Scenarios::Probe* Scenarios::FindProbe(std::string_view probe_id) const {
  const auto it = probes_.find(probe_id);
  return it == probes_.end() ? nullptr : &it->second;
}

void Scenarios::ForgetProbe(std::string_view probe_id) {
  if (const auto it = probes_.find(probe_id); it != probes_.end()) probes_.erase(it);
}

}  // namespace liveops::remediation
