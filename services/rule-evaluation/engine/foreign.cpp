#include "services/rule-evaluation/engine/foreign.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

// In real time: how often is looked for those that are not told any more.
constexpr std::int64_t kJudgeEachMs = 1000;
// So long silence must have been provable, whatever the word says it is good for.
constexpr Duration kHeardWithin{60'000};
// What was on its way when the end was told comes within so long, and opens nothing.
constexpr std::int64_t kOvertakenMs = 60'000;
// So long what is over is shown, and its end is not forgotten.
constexpr std::int64_t kShownMs = 3'600'000;

// Of a word that stands until it is taken back.
constexpr Instant kForever{Duration(std::int64_t{1} << 52)};

std::string TimeOfDay(Instant t) { return FormatUtc(ToMs(t)).substr(11, 8); }

bool Over(const ForeignAlert& alert) { return alert.state == AlarmState::kOk; }

void Changed(State& s, ForeignAlert& alert) {
  alert.changed = true;
  ++s.changes;
}

void Enter(const State& s, ForeignAlert& alert, AlarmState state) {
  alert.state = state;
  alert.state_since = s.now();
}

Transition Tell(const State& s, const Service& service, const std::string& id,
                const ForeignAlert& alert, const char* reason) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  Transition t;
  t.alarm_id = id;
  t.service = service.name;
  t.name = alert.name;
  t.group = alert.labels;
  t.episode = alert.episode;
  t.step = alert.step;
  t.state = Over(alert) ? AlarmState::kResolved : alert.state;
  t.reason = reason;
  t.severity = alert.severity;
  t.owner = service.foreign_owner;
  t.threshold = kNone;
  t.window_end = s.now();
  t.since = alert.starts;
  t.duration = std::max(Duration(0), s.now() - alert.episode);
  t.changes = ChangesBefore(service, s.now());
  t.plan_version = service.version;
  t.clock = s.now();
  t.clock_real = s.clock.now();
  t.source_offset = s.position;
  t.summary = alert.summary;
  t.runbook = alert.runbook;
  t.origin = alert.source;
  t.link = alert.link;
  t.heard = alert.heard;
  t.valid_until = alert.until;
  return t;
}

// Of those that are over the one that has been for longest makes room.
bool MakeRoom(State& s, Service& service) {
  auto oldest = service.foreign.end();
  for (auto it = service.foreign.begin(); it != service.foreign.end(); ++it) {
    if (!Over(it->second)) continue;
    if (oldest == service.foreign.end() || it->second.state_since < oldest->second.state_since) {
      oldest = it;
    }
  }
  if (oldest == service.foreign.end()) return false;
  s.gone.push_back(oldest->first);
  service.foreign.erase(oldest);
  ++s.changes;
  return true;
}

// The alert that fires, known before or not; nullptr when there is no room for it.
ForeignAlert* AlertFor(State& s, Service& service, const std::string& id) {
  const auto known = service.foreign.find(id);
  if (known != service.foreign.end()) return &known->second;
  Rule* limit = service.foreign_limit;
  if (service.foreign.size() >= s.limits.foreign_alerts_max && !MakeRoom(s, service)) {
    ++s.counters.alerts_refused;
    if (limit != nullptr) RefuseHash(s, *limit, Xxh64(id));
    return nullptr;
  }
  if (limit != nullptr && limit->overflow) limit->overflow->refused.erase(Xxh64(id));
  return &service.foreign[id];
}

Instant UntilOf(const ExternalAlertView& view) {
  return view.firing && view.until == Instant{} ? kForever : view.until;
}

void Fire(State& s, Service& service, const std::string& id, ForeignAlert& alert,
          const ExternalAlertView& view, std::vector<Transition>& out) {
  const bool again = Over(alert) && alert.episode != Instant{};
  if (again && view.starts <= alert.newest_start &&
      s.now() - alert.state_since < Duration(s.Scaled(kOvertakenMs))) {
    return;
  }
  const plan::Severity before = alert.severity;
  alert.severity = SeverityOfWord(view.severity);
  alert.summary = ForeignSummary(view.summary, view.description);
  alert.runbook = view.runbook;
  alert.link = view.link;
  alert.heard = s.now();
  const bool opens = Over(alert);
  // Of several that tell the same alert whoever vouches for longest.
  alert.until = opens ? UntilOf(view) : std::max(alert.until, UntilOf(view));
  alert.newest_start = opens ? view.starts : std::max(alert.newest_start, view.starts);
  Changed(s, alert);
  if (opens) {
    alert.episode = again ? std::max(s.now(), alert.episode + Duration(1)) : s.now();
    alert.step = 0;
    alert.starts = view.starts;
    Enter(s, alert, AlarmState::kFiring);
    out.push_back(Tell(s, service, id, alert, "reported"));
    return;
  }
  if (alert.state == AlarmState::kStale) {
    ++alert.step;
    Enter(s, alert, AlarmState::kFiring);
    out.push_back(Tell(s, service, id, alert, "returned"));
  } else if (alert.severity != before) {
    ++alert.step;
    // A worse one is the lesser number.
    out.push_back(Tell(s, service, id, alert, alert.severity < before ? "escalated" : "eased"));
    out.back().severity_before = before;
  }
}

// A word that an episode before this one is over says nothing of this one.
void End(State& s, Service& service, const std::string& id, const ExternalAlertView& view,
         std::vector<Transition>& out) {
  const auto known = service.foreign.find(id);
  if (known == service.foreign.end() || Over(known->second)) return;
  ForeignAlert& alert = known->second;
  if (view.until < alert.starts) return;
  alert.until = view.until;
  alert.heard = s.now();
  ++alert.step;
  Enter(s, alert, AlarmState::kOk);
  Changed(s, alert);
  out.push_back(Tell(s, service, id, alert, "recovered"));
}

// Could a word have come, all the time that it should have?
bool SilenceProves(const State& s, const ForeignAlert& alert) {
  const Duration good = std::max(alert.until - alert.heard, kHeardWithin);
  return s.presence.Proves(s.map.ToReal(s.now() - good));
}

}  // namespace

plan::Severity SeverityOfWord(std::string_view word) {
  using plan::Severity;
  static constexpr std::pair<std::string_view, Severity> kWords[] = {
      {"critical", Severity::kCritical},
      {"page", Severity::kCritical},
      {"emergency", Severity::kCritical},
      {"fatal", Severity::kCritical},
      {"p1", Severity::kCritical},
      {"sev1", Severity::kCritical},
      {"medium", Severity::kMedium},
      {"moderate", Severity::kMedium},
      {"minor", Severity::kMedium},
      {"ticket", Severity::kMedium},
      {"p3", Severity::kMedium},
      {"sev3", Severity::kMedium},
      {"low", Severity::kLow},
      {"info", Severity::kLow},
      {"information", Severity::kLow},
      {"informational", Severity::kLow},
      {"notice", Severity::kLow},
      {"none", Severity::kLow},
      {"p4", Severity::kLow},
      {"p5", Severity::kLow},
      {"sev4", Severity::kLow},
      {"sev5", Severity::kLow},
  };
  std::string lower(word);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const auto& [known, severity] : kWords) {
    if (lower == known) return severity;
  }
  return Severity::kHigh;
}

std::string ForeignSummary(std::string_view summary, std::string_view description) {
  if (summary.empty()) return std::string(description);
  if (description.empty() || description == summary) return std::string(summary);
  return std::string(summary) + " - " + std::string(description);
}

void TakeForeign(State& s, const ExternalAlertView& view, std::vector<Transition>& out) {
  ++s.counters.alerts;
  const auto labels = Labels::Decode(view.labels);
  if (!labels || view.service.empty() || view.source.empty() || view.name.empty()) {
    ++s.counters.alerts_refused;
    return;
  }
  Service& service = ServiceOf(s, view.service);
  BeforeService(s, s.service_index.find(service.name)->second);
  const std::string name = std::string(view.source) + ":" + std::string(view.name);
  const std::string id = AlarmId(service.name, name, *labels);
  if (!view.firing) return End(s, service, id, view, out);
  ForeignAlert* alert = AlertFor(s, service, id);
  if (alert == nullptr) return;
  if (alert->name.empty()) {
    alert->source = view.source;
    alert->name = name;
    alert->labels = *labels;
  }
  Fire(s, service, id, *alert, view, out);
}

void JudgeForeign(State& s, std::vector<Transition>& out) {
  const std::int64_t now = s.now_ms();
  if (now - s.foreign_judged_ms < s.Scaled(kJudgeEachMs)) return;
  s.foreign_judged_ms = now;
  for (std::uint32_t number = 0; number < s.services.size(); ++number) {
    Service& service = *s.services[number];
    for (auto& [id, alert] : service.foreign) {
      if (alert.state != AlarmState::kFiring || alert.until > s.now()) continue;
      if (!SilenceProves(s, alert)) continue;
      BeforeService(s, number);
      ++alert.step;
      Enter(s, alert, AlarmState::kStale);
      Changed(s, alert);
      out.push_back(Tell(s, service, id, alert, "stale"));
    }
  }
}

bool AdoptForeign(State& s, const Transition& truth) {
  Service* known = FindService(s, truth.service);
  const AlarmState state = IsOpen(truth.state) ? truth.state : AlarmState::kOk;
  const bool there = known != nullptr && known->foreign.contains(truth.alarm_id);
  if (!there && state == AlarmState::kOk) return false;
  Service& service = ServiceOf(s, truth.service);
  BeforeService(s, s.service_index.find(service.name)->second);
  ForeignAlert& alert = service.foreign[truth.alarm_id];
  if (there && alert.episode == truth.episode && alert.step == truth.step && alert.state == state) {
    return false;
  }
  // The words since then are no transitions: what was heard of them stays.
  if (alert.episode != truth.episode || state == AlarmState::kOk) alert.until = truth.valid_until;
  alert.until = std::max(alert.until, truth.valid_until);
  alert.heard = std::max(alert.heard, truth.heard);
  alert.newest_start = std::max(alert.newest_start, truth.since);
  alert.source = truth.origin;
  alert.name = truth.name;
  alert.labels = truth.group;
  alert.state = state;
  alert.episode = truth.episode;
  alert.step = truth.step;
  alert.state_since = truth.clock;
  alert.starts = truth.since;
  alert.severity = truth.severity;
  alert.summary = truth.summary;
  alert.runbook = truth.runbook;
  alert.link = truth.link;
  Changed(s, alert);
  return true;
}

void OwnForeign(State& s, Service& service, std::string owner) {
  if (service.foreign_owner == owner) return;
  service.foreign_owner = std::move(owner);
  for (auto& [id, alert] : service.foreign) Changed(s, alert);
}

void HousekeepForeign(State& s, Service& service) {
  const std::int64_t shown = std::max(kShownMs, s.Scaled(kShownMs));
  std::erase_if(service.foreign, [&](const auto& entry) {
    const bool old = Over(entry.second) && s.now_ms() - ToMs(entry.second.state_since) > shown;
    if (!old) return false;
    s.gone.push_back(entry.first);
    ++s.changes;
    return true;
  });
}

AlarmView ViewOf(const State& s, const Service& service, const std::string& id,
                 const ForeignAlert& alert) {
  AlarmView v;
  v.alarm_id = id;
  v.service = service.name;
  v.name = alert.name;
  v.state = alert.state;
  v.severity = alert.severity;
  v.owner = service.foreign_owner;
  v.threshold = std::numeric_limits<double>::quiet_NaN();
  v.since = alert.state == AlarmState::kFiring ? alert.starts : alert.state_since;
  if (!Over(alert)) v.episode = alert.episode;
  v.clock = s.now();
  v.plan_version = service.version;
  v.origin = alert.source;
  v.link = alert.link;
  v.heard = alert.heard;
  v.valid_until = alert.until;
  switch (alert.state) {
    case AlarmState::kFiring:
      v.explanation =
          fmt::format("{} says that it fires since {}; last told at {}, which is good until {}",
                      alert.source, TimeOfDay(alert.starts), TimeOfDay(alert.heard),
                      alert.until == kForever ? "it says otherwise" : TimeOfDay(alert.until));
      break;
    case AlarmState::kStale:
      v.explanation = fmt::format(
          "not heard of again since {}: {}'s word was good until {}; whether it still fires nobody "
          "knows, and nobody said that it is over",
          TimeOfDay(alert.heard), alert.source, TimeOfDay(alert.until));
      break;
    default:
      v.explanation =
          fmt::format("{} says that it is over since {}", alert.source, TimeOfDay(alert.until));
  }
  return v;
}

}  // namespace liveops::engine
