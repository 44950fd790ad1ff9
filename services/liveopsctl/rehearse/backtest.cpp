#include "services/liveopsctl/rehearse/backtest.h"

#include <algorithm>
#include <set>

#include "common/plan/burn.h"
#include "common/plan/reads.h"
#include "services/liveopsctl/rehearse/expected.h"
#include "services/liveopsctl/rehearse/test_run.h"

namespace liveops::rehearse {
namespace {

using engine::AlarmState;
using engine::Transition;

bool Opens(const Transition& told) { return told.step == 0 && IsOpen(told.state); }
bool Closes(const Transition& told) {
  return told.state == AlarmState::kResolved || told.state == AlarmState::kGone ||
         told.state == AlarmState::kWithdrawn;
}

std::vector<Episode> EpisodesOf(const std::vector<Transition>& told) {
  std::vector<Episode> episodes;
  std::map<std::string, std::size_t> open;  // alarm id -> its episode
  for (const Transition& t : told) {
    if (Opens(t)) {
      open[t.alarm_id] = episodes.size();
      episodes.push_back({t, std::nullopt});
    } else if (Closes(t)) {
      const auto found = open.find(t.alarm_id);
      if (found == open.end()) continue;
      episodes[found->second].closed = t;
      open.erase(found);
    }
  }
  return episodes;
}

void FindMark(const std::vector<Mark>& marks, AlarmReport& alarm) {
  for (const Mark& mark : marks) {
    if (mark.at > *alarm.first) continue;
    if (alarm.after_mark && *alarm.first - mark.at > *alarm.after_mark) continue;
    alarm.after_mark = *alarm.first - mark.at;
    alarm.mark = mark.text;
  }
}

}  // namespace

std::string Episode::alarm() const { return NameWithGroup(opened.alarm_id); }

Duration Episode::length(Instant end) const {
  return std::max(Duration(0), (closed ? closed->clock : end) - opened.clock);
}

std::uint64_t LogSpan::records() const {
  std::uint64_t all = 0;
  for (const PartitionSpan& span : partitions) all += span.records;
  return all;
}

std::uint64_t LogSpan::unreadable() const {
  std::uint64_t all = 0;
  for (const PartitionSpan& span : partitions) all += span.unreadable;
  return all;
}

double BacktestReport::PagesPerDay() const {
  const double days =
      std::chrono::duration<double, std::ratio<86400>>(std::max(to - from, Duration(1))).count();
  return static_cast<double>(pages) / days;
}

Backtest::Backtest(const plan::Plan& plan, std::string_view text)
    : plan_(plan), text_(text), watched_(plan) {
  report_.service = plan.service;
  report_.reads = plan::ServicesRead(plan);
  report_.longest_window = watched_.longest_window();
  for (const plan::Slo& slo : plan.slos) slos_.push_back(slo.name);
}

void Backtest::Take(const RecordedLine& line) {
  if (const auto* header = std::get_if<RecordingHeader>(&line)) report_.header = *header;
  if (const auto* mark = std::get_if<Mark>(&line)) report_.marks.push_back(*mark);
  if (const auto* batch = std::get_if<RecordedBatch>(&line)) TakeBatch(*batch);
}

void Backtest::TakeBatch(const RecordedBatch& batch) {
  if (!player_) {
    // What was before the recording is not known: the plan comes into force with its beginning.
    player_.emplace(report_.service, text_, batch.at);
    report_.from = batch.at;
  }
  report_.to = batch.at;
  if (!Mine(batch.service)) {
    player_->Advance(batch.at);
    return;
  }
  report_.points += batch.points.size();
  played_.Clear();
  for (const RecordedPoint& point : batch.points) {
    See(batch.service, point.metric, batch.at);
    const std::string labels = point.labels.Encode();
    std::string key = std::to_string(static_cast<int>(point.kind));
    for (const std::string* part : {&batch.service, &point.metric, &point.unit, &labels})
      key += '\0' + std::to_string(part->size()) + '\0' + *part;
    const auto [place, fresh] = series_.try_emplace(std::move(key), 0);
    if (fresh) {
      place->second =
          player_->AddSeries(point.kind, point.metric, point.unit, labels, batch.service);
    }
    if (point.histogram()) {
      played_.histograms.push_back(
          {place->second, point.covers, point.sum, point.bounds, point.counts});
    } else {
      played_.points.push_back({place->second, point.covers, point.value});
    }
  }
  player_->Feed(batch.at, played_);
}

Status Backtest::BeginLog(const LogPlaces& places) {
  Result<LogPlayer> player = LogPlayer::Make(plan_, text_, places);
  if (!player.ok()) return player.error();
  log_ = std::move(*player);
  return {};
}

void Backtest::Take(std::int32_t partition, const engine::RecordView& record) {
  if (!log_->Hears(partition)) return;
  const Instant at = log_->time_map().ToDomain(record.append_time);
  if (report_.to == Instant{}) report_.from = at;
  report_.to = std::max(report_.to, at);
  if (const auto* batch = std::get_if<engine::BatchView>(&record.body)) {
    if (!Mine(batch->service)) return;
    report_.points += batch->point_value.size() + batch->histograms.size();
    for (const engine::SeriesView& series : batch->series) See(batch->service, series.metric, at);
  }
  log_->Replay(partition, record);
}

bool Backtest::Mine(std::string_view service) {
  const std::vector<std::string>& reads = report_.reads;
  if (service == report_.service || std::find(reads.begin(), reads.end(), service) != reads.end()) {
    ++report_.batches;
    return true;
  }
  ++report_.other_services[std::string(service)];
  return false;
}

void Backtest::See(std::string_view service, std::string_view metric, Instant at) {
  std::string other;
  if (service != report_.service) metric = other = SeenAs(service, metric);
  auto found = report_.metrics.find(metric);
  if (found == report_.metrics.end())
    found = report_.metrics.emplace(std::string(metric), Sighting{at, at, 0}).first;
  Sighting& sighting = found->second;
  // Series of one batch count once.
  if (sighting.batches == 0 || sighting.last != at) ++sighting.batches;
  sighting.last = std::max(sighting.last, at);
}

void Backtest::Count(BacktestReport& report) const {
  for (const std::string& slo : slos_) {
    for (const engine::AlarmView& view : report.at_end) {
      if (view.name != slo + plan::kBudget) continue;
      report.budgets.emplace_back(slo, view.budget ? BudgetText(*view.budget) : view.explanation);
    }
  }
  std::set<std::string> blind;
  for (const engine::AlarmView& view : report.at_end) {
    if (view.state == AlarmState::kBlind) blind.insert(view.name);
  }
  for (const Watched& watched : watched_.all()) {
    AlarmReport alarm;
    alarm.name = watched.name;
    alarm.purpose = watched.purpose;
    alarm.blind = blind.contains(watched.name);
    std::map<std::string, Instant> closed;  // group -> when last
    for (const Episode& episode : report.episodes) {
      if (episode.opened.name != watched.name) continue;
      ++alarm.fired;
      alarm.firing += episode.length(report.to);
      alarm.open = alarm.open || !episode.closed;
      if (!alarm.first) alarm.first = episode.opened.clock;
      const auto before = closed.find(episode.opened.alarm_id);
      if (before != closed.end() && episode.opened.clock - before->second <= kFlap) ++alarm.flaps;
      if (episode.closed) closed[episode.opened.alarm_id] = episode.closed->clock;
    }
    if (alarm.first) FindMark(report.marks, alarm);
    report.alarms.push_back(std::move(alarm));
  }
}

BacktestReport Backtest::Finish() {
  BacktestReport report = std::move(report_);
  // The last windows are judged too; that nothing comes after the end proves nothing. A log has
  // ticks of its own.
  if (!log_) player_->Advance(report.to + watched_.lateness());
  report.told = log_ ? log_->Take() : player_->Take();
  report.episodes = EpisodesOf(report.told);
  report.pages =
      static_cast<std::size_t>(std::count_if(report.told.begin(), report.told.end(), IsPage));
  report.points_unit_mismatch =
      log_ ? log_->points_unit_mismatch() : player_->shard().counters().points_unit_mismatch;
  for (const auto& [metric, sighting] : report.metrics) {
    if (!watched_.Reads(metric)) report.unread_metrics.push_back(metric);
  }
  if (log_) report.moves = log_->Moves();
  report.at_end = log_ ? log_->Alarms() : player_->shard().Alarms();
  Count(report);
  return report;
}

}  // namespace liveops::rehearse
