#include "services/rule-evaluation/engine/oracle/oracle_points.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace liveops::engine::oracle {
namespace {

// How far beyond the clock an event may be stamped.
constexpr std::int64_t kFutureMs = 10'000;

// Silence longer than this is not what the next delta counts over, where no beat is known.
constexpr std::int64_t kUnknownBeatMs = 120'000;

// Where its count began; 0 = not known.
std::int64_t StartOf(const Point& p) { return p.duration > 0 ? p.time - p.duration : 0; }

// The newest by event time; of two the one that came later.
const Point* NewestOf(std::span<const Point> points) {
  const Point* newest = nullptr;
  for (const Point& p : points) {
    if (newest == nullptr || p.time >= newest->time) newest = &p;
  }
  return newest;
}

// The newest of the same count: a count is told by when it began.
// Reading: to the millisecond, which may be rounded up or down.
const Point* BeforeInStream(const SeriesBook& series, const Point& p) {
  const Point* newest = nullptr;
  for (const Point& q : series.heard()) {
    if (std::abs(StartOf(q) - StartOf(p)) <= 1 && (newest == nullptr || q.time >= newest->time))
      newest = &q;
  }
  return newest;
}

void SayAll(const SeriesBook& series, Point& p) {
  p.events = p.value;
  p.total = p.value;
  if (series.kind == SeriesKind::kObservation || series.kind == SeriesKind::kGauge) p.events = 1;
  if (!series.histogram()) return;
  p.observed = p.counts;
  p.events =
      static_cast<double>(std::accumulate(p.counts.begin(), p.counts.end(), std::uint64_t{}));
  p.total = p.sum;
}

// What a delta covers: what it says; else the time since the point before, but not a silence after
// which the series seems to speak only when there is something to say.
void Cover(const SeriesBook& series, Point& p) {
  if (p.duration > 0) {
    p.covers = true;
    p.from = p.time - p.duration;
    return;
  }
  const Point* before = NewestOf(series.heard());
  if (before == nullptr) return;
  const std::int64_t beat = series.Interval();
  const std::int64_t gap = p.time - before->time;
  if (gap <= 0) {
    p.covers = true;  // it was overtaken: the later one covers its time
    p.from = p.time;
  } else if (beat == 0) {
    p.covers = gap <= kUnknownBeatMs;
    p.from = before->time;
  } else {
    p.covers = true;
    p.from = 2 * gap > 5 * beat ? p.time - beat : before->time;
  }
}

bool Fell(const Point& now, const Point& before) {
  if (now.counts.empty()) return now.value < before.value;
  for (std::size_t i = 0; i < now.counts.size(); ++i) {
    if (now.counts[i] < before.counts[i]) return true;
  }
  return false;
}

void CountFromTotal(const SeriesBook& series, Point& p) {
  const Point* before = BeforeInStream(series, p);
  if (before == nullptr) {
    // Where it began after all that was seen, everything that it counted is new.
    const Point* newest = NewestOf(series.heard());
    p.baseline = newest == nullptr || p.duration == 0 || StartOf(p) < newest->time;
    if (p.baseline) return;
    p.covers = true;
    p.from = StartOf(p);
    SayAll(series, p);
    return;
  }
  SayAll(series, p);
  p.covers = true;
  p.from = before->time;
  if (Fell(p, *before)) return;
  if (!series.histogram()) {
    p.events = p.total = p.value - before->value;
    return;
  }
  p.events = 0;
  for (std::size_t i = 0; i < p.counts.size(); ++i) {
    p.observed[i] -= before->counts[i];
    p.events += static_cast<double>(p.observed[i]);
  }
  p.total = p.sum - before->sum;
}

// Without numbers on the batches a point that is not after the last of its series is a repeat.
bool IsRepeat(const SeriesBook& series, const Point& p) {
  const Point* newest = NewestOf(series.heard());
  if (newest == nullptr || p.time > newest->time) return false;
  const bool together = series.kind == SeriesKind::kObservation && p.time == newest->time &&
                        p.offset == series.points.back().offset;
  return !together && (p.duration == 0 || StartOf(p) <= StartOf(*newest));
}

}  // namespace

std::int64_t SeriesBook::Newest() const {
  std::int64_t newest = INT64_MIN;
  for (const Point& p : heard()) newest = std::max(newest, p.time);
  return newest;
}

std::int64_t SeriesBook::Interval() const {
  std::vector<std::int64_t> gaps;
  std::int64_t newest = INT64_MIN;
  for (const Point& p : heard()) {
    if (p.time <= newest) continue;
    if (newest != INT64_MIN) gaps.push_back(p.time - newest);
    newest = p.time;
  }
  if (gaps.empty()) return 0;
  if (gaps.size() > 3) gaps.erase(gaps.begin(), gaps.end() - 3);
  std::sort(gaps.begin(), gaps.end());
  return gaps[(gaps.size() - 1) / 2];
}

std::size_t Points::Find(const SeriesView& view) {
  const auto [it, fresh] = index_.emplace(view.fingerprint, series_.size());
  if (fresh) {
    SeriesBook book;
    book.fingerprint = view.fingerprint;
    book.kind = view.kind;
    book.metric = view.metric;
    book.unit = view.unit;
    if (const auto labels = Labels::Decode(view.labels)) book.labels = *labels;
    series_.push_back(std::move(book));
  }
  return it->second;
}

std::optional<std::size_t> Points::Known(const Fingerprint& fingerprint) const {
  const auto it = index_.find(fingerprint);
  return it == index_.end() ? std::nullopt : std::optional(it->second);
}

void Points::Forget(std::size_t series) {
  SeriesBook& book = series_[series];
  book.forgotten = book.points.size();
  book.left.reset();
  book.slowest = Protocol::kNative;
  book.unusable = INT64_MIN / 2;
}

std::size_t Points::Own(const std::string& name) {
  const auto [it, fresh] = own_.emplace(name, series_.size());
  if (fresh) {
    series_.emplace_back();
    series_.back().kind = SeriesKind::kSlices;
    series_.back().metric = name;
  }
  return it->second;
}

Points::Ref Points::Say(std::size_t series, std::int64_t time, double count, std::int64_t clock) {
  Point p;
  p.time = p.from = time;
  p.clock = clock;
  p.covers = true;
  p.value = p.events = p.total = count;
  series_[series].points.push_back(p);
  return {series, series_[series].points.size() - 1};
}

bool Points::Repeated(const RecordView& record) {
  if (record.source.sequence == 0) return false;
  return !sequences_
              .insert({std::string(record.source.emitter), record.source.session,
                       record.source.sequence})
              .second;
}

std::vector<std::size_t> Points::Name(const BatchView& batch, std::int64_t clock) {
  std::vector<std::size_t> named;
  for (const SeriesView& view : batch.series) {
    named.push_back(Find(view));
    series_[named.back()].named = clock;
    Protocol& slowest = series_[named.back()].slowest;
    slowest = std::max(slowest, batch.protocol);
  }
  return named;
}

std::vector<Points::Ref> Points::Take(const RecordView& record, const BatchView& batch,
                                      std::int64_t clock) {
  std::vector<Ref> taken;
  const bool numbered = record.source.sequence > 0;
  const auto take = [&](std::uint32_t entry, Point p) {
    const std::size_t id = Find(batch.series[entry]);
    SeriesBook& series = series_[id];
    p.clock = clock;
    p.offset = record.offset;
    if (p.time > clock + kFutureMs) {
      series.unusable = clock;
      return;
    }
    if (series.cumulative()) {
      const Point* before = BeforeInStream(series, p);
      if (before != nullptr && before->time >= p.time) return;
      CountFromTotal(series, p);
    } else {
      if (!numbered && IsRepeat(series, p)) return;
      SayAll(series, p);
      Cover(series, p);
    }
    series.points.push_back(std::move(p));
    taken.push_back({id, series.points.size() - 1});
  };
  for (std::size_t i = 0; i < batch.point_series.size(); ++i) {
    Point p;
    p.time = batch.base_time_ms + batch.point_time_delta_ms[i];
    if (!batch.point_duration_ms.empty())
      p.duration = static_cast<std::int64_t>(batch.point_duration_ms[i]);
    p.value = batch.point_value[i];
    take(batch.point_series[i], std::move(p));
  }
  for (const HistogramView& h : batch.histograms) {
    Point p;
    p.time = batch.base_time_ms + h.time_delta_ms;
    p.duration = static_cast<std::int64_t>(h.duration_ms);
    p.sum = h.sum;
    p.bounds.assign(h.bounds.begin(), h.bounds.end());
    p.counts.assign(h.bucket_counts.begin(), h.bucket_counts.end());
    take(h.series, std::move(p));
  }
  return taken;
}

}  // namespace liveops::engine::oracle
