#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

// The clocks of honest hosts are not further apart than this; a point from further ahead is
// refused, never moved.
constexpr std::int64_t kFutureMs = 10'000;
// Without a known interval, silence longer than this is not what the next delta counts over.
constexpr std::int64_t kUnknownIntervalMs = 120'000;
constexpr std::size_t kStreamsMax = 8;
constexpr std::size_t kNoStream = SIZE_MAX;
// Beyond this a number of milliseconds is no time of ours (the year 287396), and sums of two still
// fit.
constexpr std::int64_t kTimeMax = std::int64_t{1} << 53;

// 0 = not a time.
std::int64_t TimeOf(std::int64_t base_ms, std::int64_t delta_ms) {
  if (base_ms > kTimeMax || base_ms < -kTimeMax || delta_ms > kTimeMax || delta_ms < -kTimeMax)
    return 0;
  return std::max<std::int64_t>(0, base_ms + delta_ms);
}

class Feeder {
 public:
  Feeder(State& s, std::int64_t offset, bool has_sequence, const BatchView& batch)
      : s_(s),
        offset_(offset),
        batch_(batch),
        now_ms_(s.now_ms()),
        idle_ms_(IdleSince(s)),
        future_ms_(now_ms_ + std::max(kFutureMs, s.Scaled(2000))),
        ordered_(!has_sequence) {}

  void Run();

 private:
  std::uint32_t ServiceNumber();
  void Resolve(Service& service, std::uint32_t number);
  std::uint32_t Newcomer(const SeriesView& view, std::uint32_t service);
  void Name(Series& series);
  bool Speaks(std::size_t i, std::int64_t after_ms) const;
  void Recall(const Service& service, Series& series, std::size_t i) const;
  void Scalar(std::size_t i);
  void Histogram(const HistogramView& h);
  bool Usable(Series& series, std::int64_t time, std::uint64_t duration);
  bool CoverOfDelta(const Series& series, Point& p, std::uint64_t duration) const;
  std::size_t StreamFor(Series& series, std::int64_t time, std::int64_t start, bool& fresh);

  State& s_;
  const std::int64_t offset_;
  const BatchView& batch_;
  const std::int64_t now_ms_;
  const std::int64_t idle_ms_;
  const std::int64_t future_ms_;  // points after it are refused
  const bool ordered_;  // without sequences: a point not after the last of its series is a repeat
  std::span<std::uint32_t> ids_;  // by the batch's index
  Point scalar_;                  // the one at hand; made once, for it is large
  std::vector<std::uint64_t> differences_;
};

void Feeder::Run() {
  ids_ = s_.series.FindAll(batch_.series);
  const std::uint32_t number = ServiceNumber();
  BeforeService(s_, number);
  for (const Rule* reader : s_.services[number]->readers) BeforeService(s_, reader->service);
  Resolve(*s_.services[number], number);
  const std::size_t points = batch_.point_series.size();
  const bool fits = batch_.point_time_delta_ms.size() == points &&
                    batch_.point_value.size() == points &&
                    (batch_.point_duration_ms.empty() || batch_.point_duration_ms.size() == points);
  if (fits) {
    for (std::size_t i = 0; i < points; ++i) {
      if (batch_.point_series[i] < ids_.size()) Scalar(i);
    }
  }
  for (const HistogramView& h : batch_.histograms) {
    if (h.series < ids_.size()) Histogram(h);
  }
}

// Mostly one of its series is known, and with it whose it is.
std::uint32_t Feeder::ServiceNumber() {
  const auto known =
      std::find_if(ids_.begin(), ids_.end(), [](auto id) { return id != SeriesTable::kNone; });
  if (known != ids_.end()) {
    const std::uint32_t number = s_.series.at(*known).service;
    if (number < s_.services.size() && s_.services[number]->name == batch_.service) return number;
  }
  ServiceOf(s_, batch_.service);
  return s_.service_index.find(batch_.service)->second;
}

void Feeder::Resolve(Service& service, std::uint32_t number) {
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    const SeriesView& view = batch_.series[i];
    if (ids_[i] != SeriesTable::kNone && s_.series.at(ids_[i]).seen_ms < idle_ms_ &&
        IsUnused(s_, ids_[i])) {
      // It is new, whether housekeeping was there or not.
      BeforeSeries(s_, ids_[i]);
      if (Series& known = s_.series.at(ids_[i]); known.members > 0) {
        known.BeginAnew();
      } else {
        s_.series.Remove(ids_[i]);
        ids_[i] = SeriesTable::kNone;
      }
    }
    if (ids_[i] == SeriesTable::kNone) ids_[i] = Newcomer(view, number);
    if (ids_[i] == SeriesTable::kNone) continue;
    BeforeSeries(s_, ids_[i]);
    Series& series = s_.series.at(ids_[i]);
    // A fingerprint covers service and kind: one that says otherwise is not what it says it is.
    if (series.kind != view.kind || series.service != number) {
      ids_[i] = SeriesTable::kNone;
      continue;
    }
    if (batch_.protocol > series.slowest) {
      series.slowest = batch_.protocol;
      series.generation = 0;
    }
    if (series.left && Speaks(i, series.more->left_ms)) {
      series.left = false;
      series.generation = 0;
    }
    if (series.generation != service.generation) {
      Recall(service, series, i);
      Bind(s_, service, ids_[i], view);
    }
    series.feeds.Prefetch();
    Name(series);
  }
}

// Does the record bring a point of its entry's from after this time, that can be taken?
bool Feeder::Speaks(std::size_t i, std::int64_t after_ms) const {
  const auto counts = [&](std::uint32_t entry, std::int64_t delta_ms) {
    if (entry != i) return false;
    const std::int64_t time = TimeOf(batch_.base_time_ms, delta_ms);
    return time > after_ms && time <= future_ms_;
  };
  const std::size_t points =
      std::min(batch_.point_series.size(), batch_.point_time_delta_ms.size());
  for (std::size_t p = 0; p < points; ++p) {
    if (counts(batch_.point_series[p], batch_.point_time_delta_ms[p])) return true;
  }
  return std::any_of(batch_.histograms.begin(), batch_.histograms.end(),
                     [&](const HistogramView& h) { return counts(h.series, h.time_delta_ms); });
}

// One that no rule reads may have left before; what was on its way then does not bring it back.
void Feeder::Recall(const Service& service, Series& series, std::size_t i) const {
  if (series.left || service.decommissions.empty()) return;
  const auto labels = Labels::Decode(batch_.series[i].labels);
  const auto left = labels ? LeftAt(service, *labels) : std::nullopt;
  if (!left || (series.has_last && series.last_ms > *left) || Speaks(i, *left)) return;
  series.Leave(*left);
}

// A series that is not known becomes known, if there is room.
std::uint32_t Feeder::Newcomer(const SeriesView& view, std::uint32_t service) {
  if (static_cast<int>(view.kind) < 1 || static_cast<int>(view.kind) > 6) return SeriesTable::kNone;
  // An entry before it may have said the same.
  const std::uint32_t id = s_.series.Find(view.fingerprint);
  if (id != SeriesTable::kNone) return id;
  if (s_.series.size() >= s_.limits.series_max) {
    ++s_.counters.series_refused;
    s_.services[service]->series_refused_ms = now_ms_;
    RefuseSeries(s_, *s_.services[service], view.fingerprint);
    return SeriesTable::kNone;
  }
  AdmitSeries(s_, *s_.services[service], view.fingerprint);
  BeforeSeries(s_, s_.series.NextId());
  return s_.series.Add(view.fingerprint, view.kind, service);
}

// A record names it.
void Feeder::Name(Series& series) {
  if (series.gap != s_.presence.gap()) {
    // Those that OnGap counted; one that is new was not there to be counted.
    if (s_.presence.in_gap() && series.seen_ms > 0) s_.presence.OnSeriesBack();
    series.gap = static_cast<std::uint32_t>(s_.presence.gap());
  }
  series.seen_ms = now_ms_;
}

// Counts and refuses what cannot be used, by the series' own history.
bool Feeder::Usable(Series& series, std::int64_t time, std::uint64_t duration) {
  ++s_.counters.points;
  s_.counters.points_unit_mismatch += series.mismatches;
  if (time > future_ms_) {
    ++s_.counters.points_future;
    series.unusable_ms = now_ms_;
    return false;
  }
  const bool cumulative = series.kind == SeriesKind::kCounterCumulative ||
                          series.kind == SeriesKind::kHistogramCumulative;
  if (cumulative || !ordered_ || !series.has_last) return true;
  const std::int64_t start = duration > 0 ? time - static_cast<std::int64_t>(duration) : 0;
  const bool together = series.kind == SeriesKind::kObservation && series.record == offset_;
  const bool repeat = time < series.last_ms || (time == series.last_ms && !together);
  if (repeat && (duration == 0 || start <= series.last_start_ms)) {
    ++s_.counters.points_duplicate;
    return false;
  }
  return true;
}

// What a delta covers: what it says; else the time since the series' last point, unless it was
// silent for so long that it seems to report only when there is something to report.
bool Feeder::CoverOfDelta(const Series& series, Point& p, std::uint64_t duration) const {
  if (duration > 0) {
    p.start = p.time - static_cast<std::int64_t>(duration);
    return true;
  }
  if (!series.has_last) return false;
  if (p.time <= series.last_ms) {
    p.start = p.time;  // overtaken: the point after it has covered this time
    return true;
  }
  const std::int64_t gap = p.time - series.last_ms;
  const std::int64_t interval = series.Interval();
  p.start = series.last_ms;
  if (interval == 0) return gap <= kUnknownIntervalMs;
  if (2 * gap > 5 * interval) p.start = p.time - interval;
  return true;
}

// The stream that a cumulative point continues; `fresh` when it begins one. kNoStream: it says
// nothing new.
std::size_t Feeder::StreamFor(Series& series, std::int64_t time, std::int64_t start, bool& fresh) {
  fresh = false;
  for (std::size_t i = 0; i < series.stream_count; ++i) {
    const Stream& stream = series.stream(i);
    // Senders that recompute the start from a duration wobble by a millisecond.
    if (std::abs(stream.start_ms - start) > 1 && start != 0 && stream.start_ms != 0) continue;
    if (time > stream.last_ms) return i;
    ++s_.counters.points_duplicate;
    return kNoStream;
  }
  fresh = true;
  return series.AddStream(start, time, kStreamsMax);
}

void Feeder::Scalar(std::size_t i) {
  const std::uint32_t id = ids_[batch_.point_series[i]];
  if (id == SeriesTable::kNone) return;
  Series& series = s_.series.at(id);
  const std::uint64_t duration =
      batch_.point_duration_ms.empty() ? 0 : batch_.point_duration_ms[i] & INT64_MAX;
  Point& p = scalar_;
  p.start = 0;
  p.covers = false;
  p.count = p.sum = 0;
  p.time = TimeOf(batch_.base_time_ms, batch_.point_time_delta_ms[i]);
  p.value = batch_.point_value[i];
  if (!std::isfinite(p.value) || p.time <= 0) return;
  if (!Usable(series, p.time, duration)) return;
  const std::int64_t start = duration > 0 ? p.time - static_cast<std::int64_t>(duration) : 0;
  bool counts = true;
  switch (series.kind) {
    case SeriesKind::kGauge:
      break;
    case SeriesKind::kObservation:
      p.covers = CoverOfDelta(series, p, duration);
      p.count = 1;
      p.sum = p.value;
      break;
    case SeriesKind::kCounterDelta:
      if (p.value < 0) return;
      p.covers = CoverOfDelta(series, p, duration);
      p.count = p.sum = p.value;
      break;
    case SeriesKind::kCounterCumulative: {
      bool fresh = false;
      const std::size_t index = StreamFor(series, p.time, start, fresh);
      if (index == kNoStream) return;
      Stream& stream = series.stream(index);
      const bool after_all = series.has_last && start > 0 && start >= series.last_ms;
      counts = !fresh || after_all;
      p.covers = true;
      p.start = fresh ? start : stream.last_ms;
      // A fall is a reset: all that it shows came since.
      p.count = fresh || p.value < stream.value ? p.value : p.value - stream.value;
      if (p.count < 0) p.count = 0;
      p.sum = p.count;
      const double total = std::exchange(p.value, p.count);
      stream.last_ms = p.time;
      stream.value = total;
      break;
    }
    default:
      return;  // a histogram has its own column
  }
  series.Seen(p.time, start);
  if (series.kind == SeriesKind::kObservation) series.record = offset_;
  if (series.feeds.empty()) return;
  if (!counts) p.count = p.sum = std::numeric_limits<double>::quiet_NaN();
  Distribute(s_, offset_, series, p);
}

void Feeder::Histogram(const HistogramView& h) {
  const std::uint32_t id = ids_[h.series];
  if (id == SeriesTable::kNone) return;
  Series& series = s_.series.at(id);
  const bool cumulative = series.kind == SeriesKind::kHistogramCumulative;
  if (!cumulative && series.kind != SeriesKind::kHistogramDelta) return;
  Point p;
  p.time = TimeOf(batch_.base_time_ms, h.time_delta_ms);
  const std::uint64_t duration = h.duration_ms & INT64_MAX;
  if (p.time <= 0 || h.bucket_counts.size() != h.bounds.size() + 1) return;
  if (!Usable(series, p.time, duration)) return;
  const std::int64_t start = duration > 0 ? p.time - static_cast<std::int64_t>(duration) : 0;
  p.distribution = true;
  p.bounds = h.bounds;
  p.buckets = h.bucket_counts;
  p.sum = std::isfinite(h.sum) ? h.sum : 0;
  bool counts = true;
  if (cumulative) {
    bool fresh = false;
    const std::size_t index = StreamFor(series, p.time, start, fresh);
    if (index == kNoStream) return;
    Stream& stream = series.stream(index);
    std::vector<std::uint64_t>& before = series.buckets(index);
    counts = !fresh || (series.has_last && start > 0 && start >= series.last_ms);
    p.covers = true;
    p.start = fresh ? start : stream.last_ms;
    bool reset = fresh || before.size() != h.bucket_counts.size();
    for (std::size_t i = 0; !reset && i < before.size(); ++i) {
      reset = h.bucket_counts[i] < before[i];
    }
    if (!reset) {
      differences_.resize(before.size());
      for (std::size_t i = 0; i < differences_.size(); ++i) {
        differences_[i] = h.bucket_counts[i] - before[i];
      }
      p.buckets = differences_;
      p.sum -= stream.value;
    }
    stream.last_ms = p.time;
    stream.value = std::isfinite(h.sum) ? h.sum : 0;
    before.assign(h.bucket_counts.begin(), h.bucket_counts.end());
  } else {
    p.covers = CoverOfDelta(series, p, duration);
  }
  for (const std::uint64_t n : p.buckets) p.count += static_cast<double>(n);
  series.Seen(p.time, start);
  if (!counts) {
    p.count = p.sum = std::numeric_limits<double>::quiet_NaN();
    p.buckets = {};
  }
  Distribute(s_, offset_, series, p);
}

}  // namespace

void ApplyBatch(State& s, std::int64_t offset, bool has_sequence, const BatchView& batch) {
  Feeder(s, offset, has_sequence, batch).Run();
}

}  // namespace liveops::engine
