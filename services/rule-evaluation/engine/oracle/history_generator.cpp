#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/base/labels.h"
#include "services/rule-evaluation/engine/oracle/history.h"
#include "services/rule-evaluation/engine/oracle/history_objectives.h"
#include "services/rule-evaluation/engine/oracle/history_plan.h"
#include "services/rule-evaluation/engine/oracle/history_sources.h"
#include "services/rule-evaluation/engine/oracle/random.h"

namespace liveops::engine::oracle {
namespace {

const std::vector<double> kBounds = {100, 250, 500, 1000};

class Generator {
 public:
  Generator(std::uint64_t seed, bool odd) : random_(seed), odd_(odd) { history_.seed = seed; }
  History Make();

 private:
  void PickMetrics();
  void PickSeries();
  void PickEmitters();
  void PickHoles();
  void Plans();
  void Decommissions();
  bool Stopped(std::size_t series, std::int64_t time) const;
  void Ticks(const std::string& instance, Range life, std::uint64_t session);
  void Instances();
  void Batches(Emitter& emitter);
  void AddPoints(const Emitter& emitter, std::size_t series, std::int64_t time,
                 HistoryRecord& record);
  void Send(const Emitter& emitter, HistoryRecord record, std::int64_t time);
  bool Bad(std::size_t metric, std::int64_t time) const { return In(bad_[metric], time); }
  double Level(std::size_t metric, std::int64_t time);
  std::vector<Range> SomeRanges(std::int64_t count, std::int64_t shortest, std::int64_t longest);

  Random random_;
  const bool odd_;
  History history_;
  std::int64_t end_ = 0;
  bool objective_ = false;  // the plan has one: an hour and more of few events
  std::vector<HistoryMetric> metrics_;
  std::vector<std::vector<Range>> bad_;  // by metric: when it is in a bad way
  std::vector<Source> sources_;          // by series
  std::vector<Emitter> emitters_;
  std::vector<Range> holes_;          // nothing is appended
  std::vector<Range> others_silent_;  // all instances but the first
  std::vector<Stop> stops_;
};

std::vector<Range> Generator::SomeRanges(std::int64_t count, std::int64_t shortest,
                                         std::int64_t longest) {
  std::vector<Range> ranges;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t from = random_.Below(end_);
    ranges.push_back({from, from + random_.Between(shortest, longest)});
  }
  return ranges;
}

void Generator::PickMetrics() {
  const std::int64_t count = random_.Between(2, 5);
  for (std::int64_t i = 0; i < count; ++i) {
    HistoryMetric metric;
    metric.family = random_.Of({Family::kCounter, Family::kGauge, Family::kDistribution});
    metric.name = fmt::format("{}{}", "cgd"[static_cast<std::size_t>(metric.family)], i);
    metric.coded = metric.family == Family::kCounter && random_.Chance(50);
    if (objective_ && i == 0) metric = {Family::kCounter, "c0", true};
    metrics_.push_back(metric);
    bad_.push_back(SomeRanges(random_.Between(0, 4), 4000, 150'000));
  }
}

void Generator::PickSeries() {
  for (std::size_t m = 0; m < metrics_.size(); ++m) {
    const std::int64_t count = random_.Between(1, 6);
    std::set<std::string> known;
    for (std::int64_t i = 0; i < count; ++i) {
      HistorySeries s;
      s.name = fmt::format("S{}", history_.series.size());
      s.metric = metrics_[m].name;
      Labels labels;
      if (random_.Chance(85)) labels.Set("pod", random_.Of({"a", "b", "c"}));
      if (random_.Chance(60)) labels.Set("zone", random_.Of({"x", "y"}));
      if (metrics_[m].coded) labels.Set("code", random_.Of({"200", "200", "500"}));
      switch (metrics_[m].family) {
        case Family::kCounter:
          s.kind = random_.Of({SeriesKind::kCounterDelta, SeriesKind::kCounterCumulative});
          break;
        case Family::kGauge:
          s.kind = SeriesKind::kGauge;
          break;
        case Family::kDistribution:
          s.kind = random_.Of({SeriesKind::kObservation, SeriesKind::kHistogramDelta,
                               SeriesKind::kHistogramCumulative});
          s.unit = random_.Of({"ms", "ms", ""});
          break;
      }
      s.labels = labels.Encode();
      for (const auto& [name, value] : labels) s.label_pairs.emplace_back(name, value);
      const char kind = static_cast<char>(s.kind);
      const std::vector<std::string_view> parts{s.metric, s.unit, s.labels, {&kind, 1}};
      s.fingerprint = FingerprintOf(parts);
      if (!known.insert(s.labels + static_cast<char>(s.kind) + s.unit).second) continue;
      history_.series.push_back(s);
      sources_.push_back({m, random_.Chance(50)});
    }
  }
}

void Generator::PickEmitters() {
  const std::int64_t count = random_.Between(1, 4);
  const bool calm = random_.Chance(25);
  for (std::int64_t i = 0; i < count; ++i) {
    Emitter e;
    e.name = fmt::format("e{}", i);
    e.protocol = random_.Chance(30) ? Protocol::kOtlp : Protocol::kNative;
    if (e.protocol == Protocol::kOtlp && random_.Chance(30)) e.protocol = Protocol::kRemoteWrite;
    // Ingest numbers what it derives from OTLP's spans.
    e.sequences = random_.Chance(e.protocol == Protocol::kNative ? 85 : 25);
    e.one_time = random_.Chance(70);
    e.interval = objective_
                     ? random_.Of({30'000, 60'000})
                     : random_.Of({1000, 2000, 5000, 5000, 5000, 10'000, 15'000, 30'000, 60'000});
    e.jitter = random_.Chance(50) ? 0 : e.interval / random_.Of({50, 10, 4});
    e.whole = random_.Chance(20);
    e.skew = e.whole || random_.Chance(70) ? 0 : random_.Between(-1500, 800);
    e.delay = random_.Between(2, 300);
    if (!calm) {
      e.slow_percent = random_.Of({0, 0, 3, 15});
      e.late_percent = random_.Of({0, 0, 0, 2, 6});
      e.twice_percent = random_.Of({0, 0, 3, 8});
      e.future_percent = random_.Of({0, 0, 0, 0, 3});
      e.left_out_percent = random_.Of({0, 5, 30});
      e.silent = SomeRanges(random_.Between(0, 2), 5000, 200'000);
    }
    emitters_.push_back(e);
  }
  for (std::size_t s = 0; s < history_.series.size(); ++s) {
    emitters_[static_cast<std::size_t>(random_.Below(count))].series.push_back(s);
    // Two processes may have one identity; then their counts are two streams, or make no sense.
    const SeriesKind kind = history_.series[s].kind;
    const bool reads = kind == SeriesKind::kGauge || kind == SeriesKind::kObservation;
    if (reads && random_.Chance(8))
      emitters_[static_cast<std::size_t>(random_.Below(count))].series.push_back(s);
  }
}

void Generator::PickHoles() {
  if (random_.Chance(25)) {
    const std::int64_t from = random_.Between(5000, end_);
    holes_.push_back({from, from + random_.Between(2500, 9500)});
  }
  if (random_.Chance(20)) {
    const std::int64_t from = random_.Between(5000, end_);
    holes_.push_back({from, from + random_.Between(11'000, 200'000)});
  }
}

void Generator::Plans() {
  const Grammar grammar = PickGrammar(random_, odd_);
  if (random_.Chance(20)) history_.groups_max = static_cast<std::size_t>(random_.Between(1, 4));
  if (random_.Chance(20)) {
    history_.late_metric = random_.Of(metrics_).name;
    history_.lateness = random_.Of({"1s", "8s", "20s", "1min"});
  }
  if (objective_) history_.objective = EventObjective(random_);
  PlanMaker maker(random_, metrics_, grammar);
  HistoryRecord plan;
  plan.kind = HistoryRecord::Kind::kPlan;
  plan.version = 1;
  plan.at = random_.Chance(50) ? 0 : 1500;
  plan.alarms = maker.First();
  history_.records.push_back(plan);
  const std::int64_t edits =
      random_.Chance(grammar.graded ? 40 : 60) ? 0 : random_.Between(1, grammar.graded ? 5 : 3);
  std::vector<std::int64_t> times;
  for (std::int64_t i = 0; i < edits; ++i) times.push_back(random_.Between(10'000, end_));
  std::sort(times.begin(), times.end());
  for (const std::int64_t at : times) {
    if (In(holes_, at)) continue;
    plan.at = at;
    ++plan.version;
    plan.alarms = maker.Edited();
    history_.records.push_back(plan);
  }
}

// Who is decommissioned stops before, mostly, and returns, sometimes. Drawn apart from all else.
void Generator::Decommissions() {
  Random random(history_.seed * 2 + 1);
  const std::int64_t count = random.Chance(25) ? random.Between(1, 4) : 0;
  for (std::int64_t i = 0; i < count; ++i) {
    HistoryRecord marker;
    marker.kind = HistoryRecord::Kind::kDecommission;
    marker.at = random.Between(10'000, end_);
    if (random.Chance(80)) marker.pairs.emplace_back("pod", random.Of({"a", "b", "c"}));
    if (marker.pairs.empty() || random.Chance(25)) {
      marker.pairs.emplace_back("zone", random.Of({"x", "y"}));
    }
    if (In(holes_, marker.at)) continue;
    history_.records.push_back(marker);
    if (random.Chance(20)) continue;
    const std::int64_t from = marker.at - random.Of({-2000, 0, 1000, 5000, 20'000, 200'000});
    stops_.push_back(
        {marker.pairs, {from, random.Chance(50) ? end_ : from + random.Between(5000, 400'000)}});
  }
}

bool Generator::Stopped(std::size_t series, std::int64_t time) const {
  return std::any_of(stops_.begin(), stops_.end(), [&](const Stop& stop) {
    return stop.Holds(history_.series[series].label_pairs, time);
  });
}

void Generator::Ticks(const std::string& instance, Range life, std::uint64_t session) {
  std::vector<Range> refusing;
  if (random_.Chance(15)) refusing = SomeRanges(1, 500, 60'000);
  const int refused_percent = random_.Chance(15) ? 1 : 0;
  const std::int64_t phase = random_.Chance(50) ? 0 : random_.Below(250);
  const bool goodbye = random_.Chance(60);
  for (std::int64_t t = life.from + phase; t <= life.to; t += 250) {
    if (In(holes_, t) || (instance != "i" && In(others_silent_, t))) continue;
    HistoryRecord tick;
    tick.kind = HistoryRecord::Kind::kTick;
    tick.at = t;
    tick.instance = instance;
    tick.instance_session = session;
    tick.accepting = !In(refusing, t);
    if (refused_percent > 0 && random_.Below(400) == 0)
      tick.refused_service = random_.Of({"shop", "shop", "another", "*"});
    tick.goodbye = life.to < end_ && goodbye && t + 250 > life.to;
    history_.records.push_back(tick);
  }
}

void Generator::Instances() {
  Ticks("i", {0, end_}, 1);
  // Who has no word for how long a hole was is heard later: a clock that is set is another story.
  for (const Range& hole : holes_) others_silent_.push_back({hole.from, hole.to + 600});
  if (!random_.Chance(30)) return;
  // Another one, which may be lost, stop in order, or return.
  const std::int64_t from = random_.Below(end_ / 2);
  const std::int64_t to = random_.Between(from, end_ * 5 / 4);
  Ticks("j", {from, std::min(to, end_)}, 1);
  if (to < end_ && random_.Chance(50)) {
    const std::int64_t again = random_.Between(to + 500, end_ + 500);
    Ticks("j", {again, end_}, 2);
  }
}

double Generator::Level(std::size_t metric, std::int64_t time) {
  const double noise = static_cast<double>(random_.Below(1000)) / 1000;
  return Bad(metric, time) ? 3 + noise : 0.5 + noise;
}

void Generator::AddPoints(const Emitter& emitter, std::size_t series, std::int64_t time,
                          HistoryRecord& record) {
  Source& source = sources_[series];
  const SeriesKind kind = history_.series[series].kind;
  HistoryPoint p;
  p.series = series;
  p.time = time + emitter.skew;
  // Nobody counts the same time twice: how the engine adds up what overlaps is an approximation.
  if (source.durations && p.time <= source.said) return;
  const std::int64_t since =
      source.said < 0 ? emitter.interval : std::max<std::int64_t>(1, p.time - source.said);
  const double level = Level(source.metric, time);
  const double per_second = level * (objective_ ? 0.04 : 4);
  const double increase = static_cast<double>(
      static_cast<std::int64_t>(per_second * static_cast<double>(since) / 1000));
  if (source.durations) p.duration = since;
  switch (kind) {
    case SeriesKind::kCounterDelta:
      p.value = increase;
      break;
    case SeriesKind::kCounterCumulative:
      if (source.said < 0 || random_.Below(60) == 0) {
        source.total = source.said < 0 ? 1000 : 0;
        source.started = p.time - random_.Between(1, since);
      }
      p.value = source.total += increase;
      if (source.durations) p.duration = std::max<std::int64_t>(1, p.time - source.started);
      break;
    case SeriesKind::kGauge:
      p.value = static_cast<double>(static_cast<std::int64_t>(level * 24));
      break;
    case SeriesKind::kObservation: {
      p.duration = 0;
      const std::int64_t count = random_.Between(1, 4);
      for (std::int64_t i = 0; i < count; ++i) {
        p.value = static_cast<double>(static_cast<std::int64_t>(Level(source.metric, time) * 200));
        record.points.push_back(p);
      }
      source.said = p.time;
      return;
    }
    case SeriesKind::kHistogramDelta:
    case SeriesKind::kHistogramCumulative: {
      if (kind == SeriesKind::kHistogramCumulative && random_.Below(60) == 0) {
        source.buckets.assign(5, 0);
        source.started = p.time - random_.Between(1, since);
      }
      std::vector<std::uint64_t> fresh(5);
      const std::int64_t count = random_.Below(30);
      for (std::int64_t i = 0; i < count; ++i) {
        const double value = Level(source.metric, time) * 200;
        std::size_t bucket = 0;
        while (bucket < 4 && value > kBounds[bucket]) ++bucket;
        ++fresh[bucket];
      }
      for (std::size_t i = 0; i < 5; ++i) source.buckets[i] += fresh[i];
      p.bounds = kBounds;
      p.counts = kind == SeriesKind::kHistogramDelta ? fresh : source.buckets;
      if (source.durations && kind == SeriesKind::kHistogramCumulative)
        p.duration = std::max<std::int64_t>(1, p.time - source.started);
      break;
    }
    case SeriesKind::kSlices:
      return;  // nobody emits them
  }
  source.said = p.time;
  record.points.push_back(p);
}

void Generator::Send(const Emitter& emitter, HistoryRecord record, std::int64_t time) {
  std::int64_t delay = emitter.delay + random_.Below(100);
  if (random_.Chance(emitter.slow_percent)) delay = random_.Between(500, 4900);
  if (random_.Chance(emitter.late_percent)) delay = random_.Between(2000, 20'000);
  record.at = time + delay;
  for (const Range& hole : holes_) {
    if (!hole.Has(record.at)) continue;
    if (random_.Chance(40)) return;  // lost
    record.at = hole.to + random_.Below(600);
  }
  if (record.at > end_ || In(holes_, record.at)) return;
  history_.records.push_back(record);
  if (random_.Chance(emitter.twice_percent)) {
    record.at += random_.Between(1, 3000);
    if (record.at <= end_ && !In(holes_, record.at)) history_.records.push_back(record);
  }
}

void Generator::Batches(Emitter& emitter) {
  if (emitter.series.empty()) return;
  for (std::int64_t base = random_.Below(emitter.interval); base < end_; base += emitter.interval) {
    std::int64_t time = base + (emitter.jitter > 0 ? random_.Below(emitter.jitter) : 0);
    if (emitter.whole) time = time / 1000 * 1000;
    if (In(emitter.silent, time)) continue;
    HistoryRecord record;
    record.kind = HistoryRecord::Kind::kBatch;
    record.emitter = emitter.name;
    record.protocol = emitter.protocol;
    if (emitter.sequences) record.sequence = ++emitter.sequence;
    for (const std::size_t series : emitter.series) {
      if (random_.Chance(emitter.left_out_percent) || Stopped(series, time)) continue;
      AddPoints(emitter, series, emitter.one_time ? time : time - random_.Below(900), record);
    }
    if (record.points.empty()) continue;
    if (random_.Chance(emitter.future_percent)) {
      for (HistoryPoint& p : record.points) p.time += 3'600'000;
    }
    Send(emitter, record, time);
  }
}

History Generator::Make() {
  objective_ = random_.Chance(8);
  end_ = objective_           ? random_.Between(4000, 5000) * 1000
         : random_.Chance(85) ? random_.Between(300, 720) * 1000
                              : random_.Between(720, 2400) * 1000;
  PickMetrics();
  PickSeries();
  PickEmitters();
  PickHoles();
  Instances();
  Plans();
  AddSlices(history_, metrics_, objective_);
  Decommissions();
  for (Emitter& emitter : emitters_) Batches(emitter);
  std::stable_sort(history_.records.begin(), history_.records.end(),
                   [](const HistoryRecord& a, const HistoryRecord& b) { return a.at < b.at; });
  for (std::size_t i = 1; i < history_.records.size(); ++i)
    history_.records[i].restart = random_.Below(900) == 0;
  return std::move(history_);
}

}  // namespace

History MakeHistoryOfMinutes(std::uint64_t seed) { return Generator(seed, false).Make(); }
History MakeOddHistory(std::uint64_t seed) { return Generator(seed, true).Make(); }

}  // namespace liveops::engine::oracle
