#include "services/liveopsctl/rehearse/test_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/base/text.h"
#include "services/liveopsctl/rehearse/judge.h"

namespace liveops::rehearse {
namespace {

using engine::SeriesKind;

constexpr std::uint64_t kStepsPerCall = 512;  // of progress

// What a point covers. A cumulative counter begins with a baseline, an observation is a moment.
Duration CoverOf(SeriesKind kind, Duration interval) {
  const bool delta = kind == SeriesKind::kCounterDelta || kind == SeriesKind::kHistogramDelta;
  return delta ? interval : Duration(0);
}

// The longest silence of each metric after its first point.
class Silences {
 public:
  void Seen(const std::string& metric, Duration at) {
    Metric& m = metrics_[metric];
    if (m.seen) m.longest = std::max(m.longest, at - m.last);
    m.seen = true;
    m.last = at;
  }
  void End(Duration at) {
    for (auto& [name, m] : metrics_) m.longest = std::max(m.longest, at - m.last);
  }
  // 0 when there was none, or no point at all.
  Duration Longest(const std::string& metric) const {
    const auto found = metrics_.find(metric);
    return found == metrics_.end() ? Duration(0) : found->second.longest;
  }

 private:
  struct Metric {
    bool seen = false;
    Duration last{0};
    Duration longest{0};
  };
  std::map<std::string, Metric> metrics_;
};

// One test under way.
class Play {
 public:
  Play(const PlanTest& test, const Watchlist& watched, Player player)
      : test_(test), watched_(watched), player_(std::move(player)) {
    for (const TestSeries& series : test.series) {
      // As at ingest: the label says whose it is, and is none any more.
      Labels labels;
      std::string_view service;
      for (const auto& [name, value] : series.labels) {
        if (name == plan::kServiceLabel) {
          service = value;
        } else {
          labels.Set(name, value);
        }
      }
      ids_.push_back(
          player_.AddSeries(series.kind, series.metric, series.unit, labels.Encode(), service));
      readers_.emplace_back(series.values);
    }
    NoteLooks();
  }

  TestOutcome Run(const TestRunner::Progress& progress);

 private:
  Instant At(Duration since) const { return InstantFromMs(kTestBegin) + since; }
  Duration End() const;
  void NoteLooks();
  void LookBefore(Duration end);
  void Step(Duration at);
  void Cover(TestOutcome& outcome) const;

  const PlanTest& test_;
  const Watchlist& watched_;
  Player player_;
  std::vector<std::uint32_t> ids_;
  std::vector<Sequence::Reader> readers_;
  std::map<Duration, std::set<std::string>> looks_;  // at -> alarms
  Views views_;
  Silences silences_;
  Sample sample_;
  Played played_;
};

void Play::NoteLooks() {
  const auto note = [&](const std::vector<Expected>& list) {
    for (const Expected& e : list) looks_[e.at + e.within].insert(e.alarm);
  };
  note(test_.expect);
  note(test_.looks);
  if (test_.pages) note(*test_.pages);
}

// All of the data is played; where silence after it is asked for, also what that leads to.
Duration Play::End() const {
  const Duration data = std::max(test_.last_sample(), Duration(0)) + watched_.lateness();
  const Duration expected = test_.last_expected();
  if (expected <= data) return data;
  return expected + watched_.longest_window() + watched_.lateness();
}

void Play::LookBefore(Duration end) {
  while (!looks_.empty() && looks_.begin()->first < end) {
    const auto& [at, alarms] = *looks_.begin();
    player_.Advance(At(at));
    for (engine::AlarmView& view : player_.shard().Alarms()) {
      if (alarms.contains(view.name)) views_[at].push_back(std::move(view));
    }
    looks_.erase(looks_.begin());
  }
}

void Play::Step(Duration at) {
  played_.Clear();
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    const TestSeries& series = test_.series[i];
    if (!readers_[i].Next(sample_) || sample_.missing) continue;
    silences_.Seen(series.metric, at);
    const Duration covers = CoverOf(series.kind, test_.interval);
    if (sample_.bounds.empty()) {
      played_.points.push_back({ids_[i], covers, sample_.number});
    } else {
      played_.histograms.push_back(
          {ids_[i], covers, sample_.Sum(), sample_.bounds, sample_.counts});
    }
  }
  if (played_.points.empty() && played_.histograms.empty()) return;
  player_.Feed(At(at), played_);
}

TestOutcome Play::Run(const TestRunner::Progress& progress) {
  TestOutcome outcome;
  outcome.name = test_.name;
  outcome.line = test_.line;
  outcome.length = End();
  std::uint64_t steps = 0;
  for (const TestSeries& series : test_.series) steps = std::max(steps, series.values.size());
  for (std::uint64_t i = 0; i < steps; ++i) {
    const Duration at = test_.interval * static_cast<std::int64_t>(i);
    LookBefore(at);
    Step(at);
    if (progress && i % kStepsPerCall == kStepsPerCall - 1)
      progress(static_cast<double>(i) / static_cast<double>(steps));
  }
  LookBefore(outcome.length + Duration(1));
  player_.Advance(At(outcome.length));
  silences_.End(outcome.length);
  outcome.told = player_.Take();
  outcome.discrepancies = Judge(test_, outcome.told, views_, At(Duration(0)));
  const engine::ShardCounters& counters = player_.shard().counters();
  if (counters.points_unit_mismatch > 0) {
    outcome.notes.push_back(
        fmt::format("{} points counted for nothing: the plan cannot convert their unit",
                    counters.points_unit_mismatch));
  }
  Cover(outcome);
  return outcome;
}

void Play::Cover(TestOutcome& outcome) const {
  for (const engine::Transition& told : outcome.told) {
    if (told.state == engine::AlarmState::kFiring) outcome.fired.insert(told.name);
    if (told.state == engine::AlarmState::kResolved) outcome.resolved.insert(told.name);
    if (told.state == engine::AlarmState::kNoData || told.state == engine::AlarmState::kGone)
      outcome.silent.insert(told.name);
  }
  for (const Watched& watched : watched_.all()) {
    const Duration silence = std::max(watched.window, 3 * test_.interval) + watched_.lateness();
    for (const std::string& metric : watched.metrics) {
      if (silences_.Longest(metric) > silence) outcome.silent.insert(watched.name);
    }
  }
}

Player Settled(const plan::Plan& plan, std::string_view text, Duration length) {
  Player player(plan.service, text, InstantFromMs(kTestBegin) - length);
  player.Settle(length);
  return player;
}

}  // namespace

Coverage::Coverage(const plan::Plan& plan) {
  for (const plan::Alarm& alarm : plan.alarms) {
    if (alarm.page) alarms_.push_back(alarm.name);
  }
}

void Coverage::Add(const TestOutcome& outcome) {
  fired_.insert(outcome.fired.begin(), outcome.fired.end());
  resolved_.insert(outcome.resolved.begin(), outcome.resolved.end());
  silent_.insert(outcome.silent.begin(), outcome.silent.end());
}

std::vector<std::string> Coverage::Missing(const std::set<std::string>& seen) const {
  std::vector<std::string> missing;
  for (const std::string& alarm : alarms_) {
    if (!seen.contains(alarm)) missing.push_back(alarm);
  }
  return missing;
}

TestRunner::TestRunner(const plan::Plan& plan, std::string_view text)
    : watched_(plan), settled_(Settled(plan, text, watched_.settled() + watched_.lateness())) {}

Result<TestOutcome> TestRunner::Run(const PlanTest& test, const Progress& progress) const {
  Result<Player> player = settled_.Fork();
  if (!player.ok()) return player.error();
  return Play(test, watched_, std::move(*player)).Run(progress);
}

std::string ToldText(const engine::Transition& told) {
  std::string text = engine::AlarmStateName(told.state);
  if (told.reason != "crossed" && told.reason != "recovered" && told.reason != text)
    text += " (" + told.reason + ")";
  if (!std::isnan(told.value)) text += " " + FormatValue(told.value, told.unit);
  return text;
}

bool IsPage(const engine::Transition& told) {
  return told.purpose == engine::Purpose::kPage && (told.step == 0 || told.reason == "escalated") &&
         IsOpen(told.state);
}

}  // namespace liveops::rehearse
