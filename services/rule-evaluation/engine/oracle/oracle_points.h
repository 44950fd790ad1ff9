#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "common/base/labels.h"
#include "services/rule-evaluation/engine/record.h"

namespace liveops::engine::oracle {

// A point as it came, and what it says in the light of those that came before it.
struct Point {
  std::int64_t time = 0;
  std::int64_t duration = 0;  // as it came; 0 = its start is not known
  std::int64_t clock = 0;     // when it came
  std::int64_t offset = 0;
  double value = 0;
  double sum = 0;
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;

  bool baseline = false;  // says nothing but where to count from
  bool covers = false;    // (from, time]; a moment when they are equal
  std::int64_t from = 0;
  double events = 0;                    // how many it tells of
  double total = 0;                     // of their values
  std::vector<std::uint64_t> observed;  // of a histogram: events by bucket
};

struct SeriesBook {
  Fingerprint fingerprint;
  SeriesKind kind = SeriesKind::kGauge;
  std::string metric;
  std::string unit;
  Labels labels;
  std::vector<Point> points;              // every accepted one for ever, as they came
  std::size_t forgotten = 0;              // so many of them: it was new after them
  std::int64_t named = 0;                 // clock when a record last named it
  Protocol slowest = Protocol::kNative;   // that it came by once
  std::int64_t unusable = INT64_MIN / 2;  // clock when one of its points was too late or too early
  // It was decommissioned: what it said until then is from before it left.
  std::optional<std::int64_t> left;

  bool counter() const {
    return kind == SeriesKind::kCounterDelta || kind == SeriesKind::kCounterCumulative;
  }
  bool histogram() const {
    return kind == SeriesKind::kHistogramDelta || kind == SeriesKind::kHistogramCumulative;
  }
  bool cumulative() const {
    return kind == SeriesKind::kCounterCumulative || kind == SeriesKind::kHistogramCumulative;
  }
  std::span<const Point> heard() const { return std::span(points).subspan(forgotten); }
  // Its newest event time; INT64_MIN without a point.
  std::int64_t Newest() const;
  // The median of the last gaps between its points; 0 while it has said less than two.
  std::int64_t Interval() const;
};

// Everything that was ever said.
class Points {
 public:
  struct Ref {
    std::size_t series = 0;
    std::size_t point = 0;
  };

  // Was the record written before? Notes that it was.
  bool Repeated(const RecordView& record);
  // The series with this identity, if it was ever named; and makes it a new one.
  std::optional<std::size_t> Known(const Fingerprint& fingerprint) const;
  void Forget(std::size_t series);
  // The series that a batch names.
  std::vector<std::size_t> Name(const BatchView& batch, std::int64_t clock);
  // The points of a batch that count, in their order. After Name.
  std::vector<Ref> Take(const RecordView& record, const BatchView& batch, std::int64_t clock);

  // A series that nobody sends, by its name; made if it is not there.
  std::size_t Own(const std::string& name);
  // It says that there were so many at that moment.
  Ref Say(std::size_t series, std::int64_t time, double count, std::int64_t clock);

  const SeriesBook& at(std::size_t series) const { return series_[series]; }
  SeriesBook& at(std::size_t series) { return series_[series]; }
  std::size_t size() const { return series_.size(); }
  const Point& at(Ref ref) const { return series_[ref.series].points[ref.point]; }

 private:
  std::size_t Find(const SeriesView& view);

  std::vector<SeriesBook> series_;
  std::map<Fingerprint, std::size_t> index_;
  std::map<std::string, std::size_t> own_;
  std::set<std::tuple<std::string, std::uint64_t, std::uint64_t>> sequences_;
};

}  // namespace liveops::engine::oracle
