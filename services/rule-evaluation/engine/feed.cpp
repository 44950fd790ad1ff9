#include <algorithm>
#include <cmath>
#include <limits>

#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

// The clocks of honest hosts are not further apart than this; a point from further ahead is
// refused, never moved.
constexpr std::int64_t kFutureMs = 10'000;
// Without a known interval, silence longer than this is not what the next delta counts over.
constexpr std::int64_t kUnknownIntervalMs = 120'000;
constexpr std::size_t kStreamsMax = 8;
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
        ordered_(batch.protocol == Protocol::kOtlp || !has_sequence) {}

  void Run();

 private:
  void Resolve(Service& service);
  void Scalar(std::size_t i);
  void Histogram(const HistogramView& h);
  bool Usable(Series& series, std::int64_t time, std::uint64_t duration);
  bool CoverOfDelta(const Series& series, Point& p, std::uint64_t duration) const;
  Stream* StreamFor(Series& series, std::int64_t time, std::int64_t start, bool& fresh);

  State& s_;
  const std::int64_t offset_;
  const BatchView& batch_;
  const bool ordered_;  // without sequences: a point not after the last of its series is a repeat
  std::vector<std::uint32_t> ids_;
  std::vector<std::uint64_t> differences_;
};

void Feeder::Run() {
  Service& service = ServiceOf(s_, batch_.service);
  BeforeService(s_, s_.service_index.find(service.name)->second);
  Resolve(service);
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

void Feeder::Resolve(Service& service) {
  const auto number = s_.service_index.find(service.name)->second;
  ids_.reserve(batch_.series.size());
  for (const SeriesView& view : batch_.series) {
    std::uint32_t id = s_.series.Find(view.fingerprint);
    const bool valid = static_cast<int>(view.kind) >= 1 && static_cast<int>(view.kind) <= 6;
    if (id == SeriesTable::kNone && valid) {
      if (s_.series.size() >= s_.limits.series_max) {
        ++s_.counters.series_refused;
      } else {
        BeforeSeries(s_, s_.series.NextId());
        id = s_.series.Add(view.fingerprint, view.kind, number);
      }
    }
    // A fingerprint covers service and kind: one that says otherwise is not what it says it is.
    if (id != SeriesTable::kNone &&
        (s_.series.at(id).kind != view.kind || s_.series.at(id).service != number)) {
      id = SeriesTable::kNone;
    }
    ids_.push_back(id);
    if (id == SeriesTable::kNone) continue;
    BeforeSeries(s_, id);
    Series& series = s_.series.at(id);
    if (batch_.protocol == Protocol::kOtlp && !series.otlp) {
      series.otlp = true;
      series.generation = 0;
    }
    if (series.generation != service.generation) Bind(s_, service, id, view);
    const std::int64_t now = s_.now_ms();
    if (s_.presence.in_gap() && series.gap != s_.presence.gap()) {
      // Those that OnGap counted: seen in the ten minutes before.
      if (series.members > 0 && series.seen_ms >= now - s_.Scaled(600'000))
        s_.presence.OnSeriesBack();
    }
    series.gap = s_.presence.gap();
    series.seen_ms = now;
  }
}

// Counts and refuses what cannot be used, by the series' own history.
bool Feeder::Usable(Series& series, std::int64_t time, std::uint64_t duration) {
  ++s_.counters.points;
  s_.counters.points_unit_mismatch += series.mismatches;
  const std::int64_t now = s_.now_ms();
  if (time > now + std::max(kFutureMs, s_.Scaled(2000))) {
    ++s_.counters.points_future;
    series.unusable_ms = now;
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

// The stream that a cumulative point continues; `fresh` when it begins one. nullptr: it says
// nothing new.
Stream* Feeder::StreamFor(Series& series, std::int64_t time, std::int64_t start, bool& fresh) {
  fresh = false;
  for (Stream& stream : series.streams) {
    // Senders that recompute the start from a duration wobble by a millisecond.
    if (std::abs(stream.start_ms - start) > 1 && start != 0 && stream.start_ms != 0) continue;
    if (time <= stream.last_ms) {
      ++s_.counters.points_duplicate;
      return nullptr;
    }
    return &stream;
  }
  fresh = true;
  if (series.streams.size() == kStreamsMax) {
    series.streams.erase(
        std::min_element(series.streams.begin(), series.streams.end(),
                         [](const Stream& a, const Stream& b) { return a.last_ms < b.last_ms; }));
  }
  series.streams.push_back({start, time, 0, {}});
  return &series.streams.back();
}

void Feeder::Scalar(std::size_t i) {
  const std::uint32_t id = ids_[batch_.point_series[i]];
  if (id == SeriesTable::kNone) return;
  Series& series = s_.series.at(id);
  const std::uint64_t duration =
      batch_.point_duration_ms.empty() ? 0 : batch_.point_duration_ms[i] & INT64_MAX;
  Point p;
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
      Stream* stream = StreamFor(series, p.time, start, fresh);
      if (stream == nullptr) return;
      const bool after_all = series.has_last && start > 0 && start >= series.last_ms;
      counts = !fresh || after_all;
      p.covers = true;
      p.start = fresh ? start : stream->last_ms;
      // A fall is a reset: all that it shows came since.
      p.count = fresh || p.value < stream->value ? p.value : p.value - stream->value;
      if (p.count < 0) p.count = 0;
      p.sum = p.count;
      stream->last_ms = p.time;
      stream->value = p.value;
      break;
    }
    default:
      return;  // a histogram has its own column
  }
  series.Seen(p.time, start);
  series.record = offset_;
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
    Stream* stream = StreamFor(series, p.time, start, fresh);
    if (stream == nullptr) return;
    counts = !fresh || (series.has_last && start > 0 && start >= series.last_ms);
    p.covers = true;
    p.start = fresh ? start : stream->last_ms;
    bool reset = fresh || stream->buckets.size() != h.bucket_counts.size();
    for (std::size_t i = 0; !reset && i < stream->buckets.size(); ++i) {
      reset = h.bucket_counts[i] < stream->buckets[i];
    }
    if (!reset) {
      differences_.resize(stream->buckets.size());
      for (std::size_t i = 0; i < differences_.size(); ++i) {
        differences_[i] = h.bucket_counts[i] - stream->buckets[i];
      }
      p.buckets = differences_;
      p.sum -= stream->value;
    }
    stream->last_ms = p.time;
    stream->value = std::isfinite(h.sum) ? h.sum : 0;
    stream->buckets.assign(h.bucket_counts.begin(), h.bucket_counts.end());
  } else {
    p.covers = CoverOfDelta(series, p, duration);
  }
  for (const std::uint64_t n : p.buckets) p.count += static_cast<double>(n);
  series.Seen(p.time, start);
  series.record = offset_;
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
