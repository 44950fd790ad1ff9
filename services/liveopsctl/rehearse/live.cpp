#include "services/liveopsctl/rehearse/live.h"

#include <algorithm>

#include "common/base/text.h"

namespace liveops::rehearse {
namespace {

using engine::AlarmState;

bool Vanished(const Sighting& seen, Instant end) {
  Duration usual{0};
  if (seen.batches > 1)
    usual = (seen.last - seen.first) / static_cast<std::int64_t>(seen.batches - 1);
  return end - seen.last > std::max(kVanishedAfter, usual * kVanishedIntervals);
}

LiveMetric MetricOf(const std::string& name, const BacktestReport& report,
                    const std::vector<std::string>& known) {
  LiveMetric metric;
  metric.name = name;
  if (const auto found = report.metrics.find(name); found != report.metrics.end()) {
    metric.seen = found->second;
    metric.vanished = Vanished(found->second, report.to);
  } else {
    metric.nearest = NearestWord(name, known);
  }
  return metric;
}

// Larger is worse off.
int Weight(AlarmState state) {
  switch (state) {
    case AlarmState::kFiring:
    case AlarmState::kNoData:
      return 3;
    case AlarmState::kPending:
      return 2;
    case AlarmState::kBlind:
      return 1;
    default:
      return 0;
  }
}

void TakeViews(const BacktestReport& report, LiveAlarm& alarm) {
  const engine::AlarmView* worst = nullptr;
  for (const engine::AlarmView& view : report.at_end) {
    if (view.name != alarm.name) continue;
    ++alarm.groups;
    if (IsOpen(view.state)) ++alarm.open;
    if (worst == nullptr || Weight(view.state) > Weight(worst->state)) worst = &view;
  }
  if (worst == nullptr) return;
  alarm.now = worst->state;
  alarm.explanation = worst->explanation;
}

}  // namespace

bool LiveAlarm::vanished() const {
  return std::any_of(metrics.begin(), metrics.end(),
                     [](const LiveMetric& metric) { return metric.vanished; });
}

bool LiveAlarm::unheard() const {
  return std::any_of(metrics.begin(), metrics.end(),
                     [](const LiveMetric& metric) { return metric.unheard; });
}

bool LiveReport::unsound() const {
  return std::any_of(alarms.begin(), alarms.end(), [](const LiveAlarm& alarm) {
    return alarm.blind() || alarm.vanished() || alarm.unheard();
  });
}

LiveReport HoldAgainst(const plan::Plan& plan, const BacktestReport& report) {
  const double days = std::chrono::duration<double, std::ratio<86400>>(
                          std::max(report.to - report.from, Duration(1)))
                          .count();
  std::vector<std::string> known;
  for (const auto& [metric, seen] : report.metrics) known.push_back(metric);
  LiveReport live;
  live.pages_per_day = report.PagesPerDay();
  const Watchlist watchlist(plan);
  for (const Watched& watched : watchlist.all()) {
    LiveAlarm alarm;
    alarm.name = watched.name;
    alarm.purpose = watched.purpose;
    for (const std::string& metric : watched.seen_as) {
      alarm.metrics.push_back(MetricOf(metric, report, known));
      LiveMetric& held = alarm.metrics.back();
      const auto& own = watched.metrics;
      held.unheard = !held.seen && !std::binary_search(own.begin(), own.end(), metric);
    }
    TakeViews(report, alarm);
    for (const AlarmReport& told : report.alarms) {
      if (told.name == watched.name) alarm.fired = told.fired;
    }
    alarm.fired_per_day = static_cast<double>(alarm.fired) / days;
    live.alarms.push_back(std::move(alarm));
  }
  return live;
}

}  // namespace liveops::rehearse
