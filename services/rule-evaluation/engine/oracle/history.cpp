#include "services/rule-evaluation/engine/oracle/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/base/labels.h"

namespace liveops::engine::oracle {
namespace {

double SumOf(const HistoryPoint& point) {
  double sum = 0;
  for (std::size_t i = 0; i < point.counts.size(); ++i) {
    const double bound = point.bounds[i < point.bounds.size() ? i : point.bounds.size() - 1];
    sum += bound * static_cast<double>(point.counts[i]);
  }
  return sum;
}

std::string PointText(const History& history, const HistoryPoint& point) {
  std::string value;
  if (point.counts.empty()) {
    value = fmt::format("{}", point.value);
  } else {
    for (std::size_t i = 0; i < point.counts.size(); ++i) {
      if (i > 0) value += ',';
      value += i < point.bounds.size() ? fmt::format("{}", point.bounds[i]) : "inf";
      value += fmt::format(":{}", point.counts[i]);
    }
  }
  std::string text = fmt::format(" {}={}", history.series[point.series].name, value);
  if (point.duration > 0) text += fmt::format("/{}ms", point.duration);
  return text;
}

const char* KindText(SeriesKind kind) {
  switch (kind) {
    case SeriesKind::kCounterDelta:
      return "delta";
    case SeriesKind::kCounterCumulative:
      return "cumulative";
    case SeriesKind::kGauge:
      return "gauge";
    case SeriesKind::kObservation:
      return "observation";
    case SeriesKind::kHistogramDelta:
      return "histogram";
    case SeriesKind::kHistogramCumulative:
      return "histogram_cumulative";
    case SeriesKind::kSlices:
      break;
  }
  return "?";
}

std::string BatchText(const History& history, const HistoryRecord& record) {
  std::string text;
  // One line for each event time; all of them are one record.
  std::map<std::int64_t, std::string> lines;
  for (const HistoryPoint& point : record.points) lines[point.time] += PointText(history, point);
  for (const auto& [time, points] : lines) {
    text += fmt::format("{}ms:{} @delay={}ms @emitter={}", time, points, record.at - time,
                        record.emitter);
    if (record.protocol == Protocol::kOtlp) text += " @otlp";
    if (record.protocol == Protocol::kRemoteWrite) text += " @remote";
    if (record.sequence == 0) text += " @noseq";
    if (record.sequence > 0) text += fmt::format(" @seq={}", record.sequence);
    if (lines.size() > 1) text += fmt::format("   # of the batch appended at {}ms", record.at);
    text += '\n';
  }
  return text;
}

}  // namespace

std::string History::PlanText(const HistoryRecord& record) const {
  std::string text = "service: shop\nowners:\n  on-call: {slack: \"#oncall\", pagerduty: oncall}\n";
  const auto names = [&](const std::string& alarm) {
    return alarm.find(late_metric + ")") != std::string::npos ||
           alarm.find(late_metric + ",") != std::string::npos ||
           alarm.find(late_metric + "{") != std::string::npos;
  };
  const bool reads =
      std::any_of(record.alarms.begin(), record.alarms.end(), names) || names(record.slices);
  if (reads && !late_metric.empty())
    text += fmt::format("lateness: {{{}: {}}}\n", late_metric, lateness);
  if (!objective.empty() || !record.slices.empty()) text += "slos:\n";
  if (!objective.empty()) text += "  - " + objective + "\n";
  if (!record.slices.empty()) text += "  - " + record.slices + "\n";
  text += record.alarms.empty() ? "alarms: []\n" : "alarms:\n";
  for (const std::string& alarm : record.alarms) text += "  - " + alarm + "\n";
  return text;
}

std::string History::ToString() const {
  std::string text = fmt::format("# seed {}, at most {} groups a condition\n", seed, groups_max);
  std::set<std::size_t> used;
  for (const HistoryRecord& r : records) {
    for (const HistoryPoint& p : r.points) used.insert(p.series);
  }
  for (const std::size_t i : used) {
    const HistorySeries& s = series[i];
    text += fmt::format("series {} {} {}", s.name, KindText(s.kind), s.metric);
    for (const auto& [name, value] : s.label_pairs) text += fmt::format(" {}={}", name, value);
    if (!s.unit.empty()) text += " unit=" + s.unit;
    text += '\n';
  }
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> ticks;  // runs without a gap
  const auto flush = [&](const std::string& instance) {
    const auto& [from, to] = ticks[instance];
    text += fmt::format("ticks {} {}ms..{}ms\n", instance, from, to);
  };
  for (const HistoryRecord& r : records) {
    if (r.restart) text += fmt::format("# restart before {}ms\n", r.at);
    if (r.kind == HistoryRecord::Kind::kBatch) {
      text += BatchText(*this, r);
    } else if (r.kind == HistoryRecord::Kind::kDecommission) {
      text += fmt::format("decommission {}ms", r.at);
      for (const auto& [name, value] : r.pairs) text += fmt::format(" {}={}", name, value);
      text += '\n';
    } else if (r.kind == HistoryRecord::Kind::kProbe) {
      text += fmt::format("probe {}ms {} within={}ms {}\n", r.at, r.probe, r.within, r.expression);
    } else if (r.kind == HistoryRecord::Kind::kPlan) {
      text += fmt::format("plan {}ms v{}\n{}", r.at, r.version, PlanText(r));
    } else {
      const auto it = ticks.find(r.instance);
      if (it != ticks.end() && r.at - it->second.second > 250) {
        flush(r.instance);
        ticks.erase(it);
      }
      if (ticks.contains(r.instance)) {
        ticks[r.instance].second = r.at;
      } else {
        ticks[r.instance] = {r.at, r.at};
      }
      if (!r.accepting) text += fmt::format("refuse {} {}ms\n", r.instance, r.at);
      if (!r.refused_service.empty()) {
        text += fmt::format("refused {}ms {} by {}\n", r.at, r.refused_service, r.instance);
      }
      if (r.goodbye) text += fmt::format("goodbye {} {}ms\n", r.instance, r.at);
    }
  }
  for (const auto& [instance, run] : ticks) flush(instance);
  return text;
}

const RecordView& RecordMaker::Make(const History& history, const HistoryRecord& record,
                                    std::int64_t offset) {
  view_ = {};
  view_.offset = offset;
  view_.append_time = RealFromMs(kNine + record.at);
  if (record.kind == HistoryRecord::Kind::kTick) {
    refused_.clear();
    TickView tick;
    tick.instance = record.instance;
    tick.session = record.instance_session;
    tick.steady_ms = 77'000 + record.at;
    tick.accepting = record.accepting;
    tick.goodbye = record.goodbye;
    tick.refused_any_service = record.refused_service == "*";
    if (!record.refused_service.empty() && !tick.refused_any_service)
      refused_.emplace_back(record.refused_service, 5);
    tick.refused_points = refused_;
    view_.body = tick;
    return view_;
  }
  if (record.kind == HistoryRecord::Kind::kPlan) {
    text_ = history.PlanText(record);
    PlanActivationView plan;
    plan.service = "shop";
    plan.version = record.version;
    plan.text = text_;
    view_.body = plan;
    return view_;
  }
  if (record.kind == HistoryRecord::Kind::kDecommission) {
    text_ = Labels(record.pairs).Encode();
    DecommissionView marker;
    marker.service = "shop";
    marker.labels = text_;
    view_.body = marker;
    return view_;
  }
  if (record.kind == HistoryRecord::Kind::kProbe) {
    view_.body = ProbeStartView{record.probe, "shop", record.expression, Duration(record.within)};
    return view_;
  }
  series_.clear();
  index_.clear();
  deltas_.clear();
  durations_.clear();
  values_.clear();
  histograms_.clear();
  view_.source = {record.emitter, record.session, record.sequence};
  BatchView batch;
  batch.service = "shop";
  batch.protocol = record.protocol;
  batch.base_time_ms = kNine + record.points.front().time;
  std::map<std::size_t, std::uint32_t> entries;
  bool durations = false;
  for (const HistoryPoint& p : record.points) {
    const auto [it, fresh] = entries.emplace(p.series, static_cast<std::uint32_t>(series_.size()));
    if (fresh) {
      const HistorySeries& s = history.series[p.series];
      series_.push_back({s.fingerprint, s.kind, s.metric, s.unit, s.labels});
    }
    const std::int64_t delta = p.time - record.points.front().time;
    const auto duration = static_cast<std::uint64_t>(p.duration);
    if (p.counts.empty()) {
      index_.push_back(it->second);
      deltas_.push_back(delta);
      durations_.push_back(duration);
      durations |= p.duration > 0;
      values_.push_back(p.value);
      continue;
    }
    HistogramView h;
    h.series = it->second;
    h.time_delta_ms = delta;
    h.duration_ms = duration;
    for (const std::uint64_t n : p.counts) h.count += n;
    h.sum = SumOf(p);
    h.bounds = p.bounds;
    h.bucket_counts = p.counts;
    histograms_.push_back(h);
  }
  if (!durations) durations_.clear();
  batch.series = series_;
  batch.point_series = index_;
  batch.point_time_delta_ms = deltas_;
  batch.point_duration_ms = durations_;
  batch.point_value = values_;
  batch.histograms = histograms_;
  view_.body = batch;
  return view_;
}

}  // namespace liveops::engine::oracle
