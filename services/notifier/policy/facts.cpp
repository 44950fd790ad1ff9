#include "services/notifier/policy/facts.h"

#include <algorithm>
#include <utility>

namespace liveops::notifier {

std::string Destination::Id() const {
  return (channel == Channel::kSlack ? "slack:" : "pagerduty:") + name;
}

std::optional<Destination> ParseDestination(std::string_view id) {
  const std::size_t colon = id.find(':');
  if (colon == std::string_view::npos || colon + 1 == id.size()) return std::nullopt;
  const std::string_view kind = id.substr(0, colon);
  const std::string name(id.substr(colon + 1));
  if (kind == "slack") return Destination{Channel::kSlack, name};
  if (kind == "pagerduty") return Destination{Channel::kPagerDuty, name};
  return std::nullopt;
}

const char* NoticeName(Notice notice) {
  switch (notice) {
    case Notice::kFiring:
      return "firing";
    case Notice::kAcknowledged:
      return "acknowledged";
    case Notice::kRemedyProposed:
      return "remedy-proposed";
    case Notice::kRemedyClosed:
      return "remedy-closed";
    case Notice::kResolved:
      return "resolved";
    case Notice::kNoData:
      return "no-data";
    case Notice::kEased:
      return "eased";
    case Notice::kStale:
      return "stale";
  }
  return "unknown";
}

const char* OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDelivered:
      return "delivered";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kUnknown:
      return "unknown";
    case Outcome::kRejected:
      return "rejected";
    case Outcome::kSuperseded:
      return "superseded";
  }
  return "unknown";
}

void Delivered::Record(Told entry) {
  std::erase_if(told, [&](const Told& old) {
    if (old.notice != entry.notice || old.subject != entry.subject) return false;
    return !old.MayHaveArrived() || entry.MayHaveArrived();
  });
  told.push_back(std::move(entry));
}

bool Delivered::Learn(const Told& entry) {
  if (const Told* known = Find(entry.notice, entry.subject)) {
    const auto when = std::pair(entry.step, entry.attempts);
    const auto known_when = std::pair(known->step, known->attempts);
    const bool doubted = known->outcome == Outcome::kUnknown && entry.outcome != Outcome::kUnknown;
    const bool settles = entry.outcome == Outcome::kDelivered && !known->Settled();
    const bool news = when > known_when || (when == known_when && doubted) ||
                      (entry.step == known->step && settles);
    if (!news) return false;
    if (when == known_when) told.erase(told.begin() + (known - told.data()));
  }
  Record(entry);
  return true;
}

const Told* Delivered::Find(Notice notice, std::string_view subject) const {
  for (auto it = told.rbegin(); it != told.rend(); ++it) {
    if (it->notice == notice && it->subject == subject) return &*it;
  }
  return nullptr;
}

bool Delivered::AnyMayHaveArrived() const {
  return std::any_of(told.begin(), told.end(), [](const Told& t) { return t.MayHaveArrived(); });
}

Instant Delivered::LastClock() const {
  Instant last{};
  for (const Told& entry : told) last = std::max(last, entry.clock);
  return last;
}

bool IsOpening(Notice notice) {
  return notice == Notice::kFiring || notice == Notice::kNoData || notice == Notice::kStale;
}
bool IsOpen(Phase phase) {
  return phase == Phase::kFiring || phase == Phase::kNoData || phase == Phase::kStale;
}
Notice OpeningOf(Phase phase) {
  if (phase == Phase::kNoData) return Notice::kNoData;
  return phase == Phase::kStale ? Notice::kStale : Notice::kFiring;
}
bool IsClosed(Phase phase) { return phase != Phase::kNone && !IsOpen(phase); }

std::string GroupId(std::string_view alarm_id, Instant episode) {
  return std::string(alarm_id) + "@" + std::to_string(ToMs(episode));
}

}  // namespace liveops::notifier
