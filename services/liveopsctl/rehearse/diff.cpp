#include "services/liveopsctl/rehearse/diff.h"

#include <algorithm>
#include <cstdlib>

namespace liveops::rehearse {
namespace {

constexpr Duration kNear = std::chrono::minutes(10);

Instant End(const Episode& episode, Instant end) {
  return episode.closed ? episode.closed->clock : end;
}

bool Overlap(const Episode& a, const Episode& b, Instant end) {
  return a.opened.clock <= End(b, end) && b.opened.clock <= End(a, end);
}

bool Near(const Episode& a, const Episode& b) {
  return std::chrono::abs(a.opened.clock - b.opened.clock) <= kNear;
}

std::optional<Instant> ClosedAt(const Episode& episode) {
  return episode.closed ? std::optional(episode.closed->clock) : std::nullopt;
}

// How the two tell of the same episode; false when nothing differs.
bool Differ(const Episode& before, const Episode& after, DiffLine& line) {
  line.shift = after.opened.clock - before.opened.clock;
  if (line.shift != Duration(0)) {
    line.change = line.shift < Duration(0) ? Change::kEarlier : Change::kLater;
    return true;
  }
  if (ClosedAt(before) != ClosedAt(after)) {
    line.change = Change::kResolves;
    if (before.closed && after.closed) line.shift = after.closed->clock - before.closed->clock;
    return true;
  }
  line.change = Change::kToldElse;
  return before.opened.severity != after.opened.severity ||
         before.opened.owner != after.opened.owner || before.opened.purpose != after.opened.purpose;
}

class Pairing {
 public:
  Pairing(const BacktestReport& before, const BacktestReport& after)
      : before_(before), after_(after), taken_(before.episodes.size(), false) {}

  BacktestDiff Run() {
    BacktestDiff diff;
    const Instant end = std::max(before_.to, after_.to);
    std::vector<const Episode*> alone;
    for (const Episode& episode : after_.episodes) {
      if (!Pair(episode, diff, [&](const Episode& o) { return Overlap(o, episode, end); }))
        alone.push_back(&episode);
    }
    for (const Episode* episode : alone) {
      if (Pair(*episode, diff, [&](const Episode& o) { return Near(o, *episode); })) continue;
      diff.lines.push_back({Change::kFires, episode->alarm(), episode->opened.purpose, std::nullopt,
                            *episode, Duration(0)});
    }
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      const Episode& episode = before_.episodes[i];
      if (taken_[i]) continue;
      diff.lines.push_back({Change::kQuiet, episode.alarm(), episode.opened.purpose, episode,
                            std::nullopt, Duration(0)});
    }
    return diff;
  }

 private:
  template <typename Same>
  bool Pair(const Episode& after, BacktestDiff& diff, Same same) {
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      const Episode& before = before_.episodes[i];
      if (taken_[i] || before.opened.alarm_id != after.opened.alarm_id || !same(before)) continue;
      taken_[i] = true;
      DiffLine line{Change::kFires, after.alarm(), after.opened.purpose,
                    before,         after,         Duration(0)};
      if (Differ(before, after, line)) {
        diff.lines.push_back(std::move(line));
      } else {
        ++diff.same;
      }
      return true;
    }
    return false;
  }

  const BacktestReport& before_;
  const BacktestReport& after_;
  std::vector<bool> taken_;
};

Instant Moment(const DiffLine& line) {
  return line.before ? line.before->opened.clock : line.after->opened.clock;
}

std::vector<std::string> OnlyIn(const BacktestReport& report, const BacktestReport& other) {
  std::vector<std::string> names;
  for (const AlarmReport& alarm : report.alarms) {
    const bool known = std::any_of(other.alarms.begin(), other.alarms.end(),
                                   [&](const AlarmReport& a) { return a.name == alarm.name; });
    if (!known) names.push_back(alarm.name);
  }
  return names;
}

}  // namespace

BacktestDiff Compare(const BacktestReport& before, const BacktestReport& after) {
  BacktestDiff diff = Pairing(before, after).Run();
  std::stable_sort(diff.lines.begin(), diff.lines.end(),
                   [](const DiffLine& a, const DiffLine& b) { return Moment(a) < Moment(b); });
  diff.only_before = OnlyIn(before, after);
  diff.only_after = OnlyIn(after, before);
  return diff;
}

}  // namespace liveops::rehearse
