#include "services/rule-evaluation/engine/snapshot_parts.h"

namespace liveops::engine {

void WriteForeign(const ForeignAlerts& alerts, ByteWriter& out) {
  out.Varint(alerts.size());
  for (const auto& [id, alert] : alerts) {
    out.String(id);
    for (const std::string* v :
         {&alert.source, &alert.name, &alert.summary, &alert.runbook, &alert.link}) {
      out.String(*v);
    }
    out.String(alert.labels.Encode());
    out.Varint(static_cast<std::uint64_t>(alert.state));
    out.Varint(static_cast<std::uint64_t>(alert.severity));
    out.Varint(alert.step);
    for (const Instant t : {alert.episode, alert.state_since, alert.starts, alert.newest_start,
                            alert.until, alert.heard}) {
      out.Signed(ToMs(t));
    }
  }
}

bool ReadForeign(ForeignAlerts& alerts, ByteReader& in) {
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    const auto [it, fresh] = alerts.try_emplace(std::string(in.String()));
    if (!fresh) return false;
    ForeignAlert& alert = it->second;
    for (std::string* v :
         {&alert.source, &alert.name, &alert.summary, &alert.runbook, &alert.link}) {
      *v = in.String();
    }
    const auto labels = Labels::Decode(in.String());
    const auto state = static_cast<AlarmState>(in.Varint());
    const std::uint64_t severity = in.Varint();
    const bool known =
        state == AlarmState::kOk || state == AlarmState::kFiring || state == AlarmState::kStale;
    if (!labels || !known || severity >= std::size(plan::kSeverities)) return false;
    alert.labels = *labels;
    alert.state = state;
    alert.severity = static_cast<plan::Severity>(severity);
    alert.step = static_cast<std::uint32_t>(in.Varint());
    for (Instant* t : {&alert.episode, &alert.state_since, &alert.starts, &alert.newest_start,
                       &alert.until, &alert.heard}) {
      *t = InstantFromMs(in.Milliseconds());
    }
  }
  return in.ok();
}

}  // namespace liveops::engine
