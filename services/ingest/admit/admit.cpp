#include "services/ingest/admit/admit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

#include "common/base/text.h"
#include "services/ingest/admit/series_table.h"

namespace liveops::admit {
namespace {

constexpr std::uint64_t kDurationMsMax = 3'155'760'000'000;  // 100 years
constexpr std::size_t kExampleBytesMax = 300;

bool IsHistogram(SeriesKind kind) {
  return kind == SeriesKind::kHistogramDelta || kind == SeriesKind::kHistogramCumulative;
}

bool IsCounter(SeriesKind kind) {
  return kind == SeriesKind::kCounterDelta || kind == SeriesKind::kCounterCumulative;
}

// Judges the points of one batch.
class Judge {
 public:
  Judge(const BatchInput& batch, SeriesTable& table, const Limits& limits, RealTime clock,
        const TimeMap& map, SeriesGuard* guard)
      : in_(batch),
        table_(table),
        limits_(limits),
        clock_ms_(ToMs(clock)),
        map_(map),
        guard_(guard),
        generation_(guard == nullptr ? 0 : guard->generation()) {
    base_domain_ms_ = ToMs(map_.ToDomain(clock));
    out_.batch.base_time_ms = base_domain_ms_;
    table_.BeginBatch();
  }

  Admission Run() && {
    Reserve();
    bool any_duration = false;
    for (std::size_t i = 0; i < in_.point_value.size(); ++i) {
      if (i % kAhead == 0) ExpectFrom(i);
      const std::uint64_t duration = in_.point_duration_ms.empty() ? 0 : in_.point_duration_ms[i];
      any_duration |= Point(i, duration);
    }
    if (!any_duration) out_.batch.point_duration_ms.clear();
    for (const HistogramInput& histogram : in_.histograms) HistogramPoint(histogram);
    return std::move(out_);
  }

 private:
  // The guard's memory of a series is far away: it is asked for so many of them at once.
  static constexpr std::size_t kAhead = 16;

  struct Times {
    std::int64_t delta_ms = 0;
    std::uint64_t duration_ms = 0;
  };

  void Reserve() {
    const std::size_t points = in_.point_value.size();
    out_.batch.point_series.reserve(points);
    out_.batch.point_time_delta_ms.reserve(points);
    out_.batch.point_duration_ms.reserve(points);
    out_.batch.point_value.reserve(points);
    out_.batch.histograms.reserve(in_.histograms.size());
  }

  void ExpectFrom(std::size_t first) {
    if (guard_ == nullptr) return;
    const std::size_t end = std::min(first + kAhead, in_.point_series.size());
    for (std::size_t i = first; i < end; ++i) {
      if (in_.point_series[i] >= table_.size()) continue;
      const SeriesTable::Entry& entry = table_.At(in_.point_series[i]);
      if (entry.kept != generation_) guard_->Expect(entry.fingerprint);
    }
  }

  // Whether the point was admitted with a start.
  bool Point(std::size_t i, std::uint64_t duration_ms) {
    const std::uint32_t series = in_.point_series[i];
    const double value = in_.point_value[i];
    SeriesTable::Entry* const entry = EntryOf(series);
    if (!entry) return false;
    const auto kind = static_cast<SeriesKind>(entry->input.kind);
    if (IsHistogram(kind))
      return Refuse(series, Refusal::kBadKind, "a single value for a histogram");
    if (!std::isfinite(value))
      return Refuse(series, Refusal::kNotFinite, "the value is NaN or infinite");
    if (value < 0 && IsCounter(kind)) {
      return Refuse(series, Refusal::kNegative, "a counter has the value " + FormatNumber(value));
    }
    const auto times = CheckTimes(series, in_.point_time_delta_ms[i], duration_ms);
    if (!times || !Known(series, *entry)) return false;
    out_.batch.point_series.push_back(PlaceOf(*entry));
    out_.batch.point_time_delta_ms.push_back(times->delta_ms);
    out_.batch.point_duration_ms.push_back(times->duration_ms);
    out_.batch.point_value.push_back(value);
    return times->duration_ms != 0;
  }

  void HistogramPoint(const HistogramInput& point) {
    SeriesTable::Entry* const entry = EntryOf(point.series);
    if (!entry) return;
    if (!IsHistogram(static_cast<SeriesKind>(entry->input.kind))) {
      Refuse(point.series, Refusal::kBadKind, "a histogram for a series of single values");
      return;
    }
    if (!std::isfinite(point.sum)) {
      Refuse(point.series, Refusal::kNotFinite, "the sum is NaN or infinite");
      return;
    }
    if (const Status s = CheckBuckets(point); !s) {
      Refuse(point.series, Refusal::kBadHistogram, s.error().message);
      return;
    }
    const auto times = CheckTimes(point.series, point.time_delta_ms, point.duration_ms);
    if (!times || !Known(point.series, *entry)) return;
    out_.batch.histograms.push_back({PlaceOf(*entry), times->delta_ms, times->duration_ms,
                                     point.count, point.sum, point.bounds, point.bucket_counts});
  }

  Status CheckBuckets(const HistogramInput& point) const {
    if (point.bucket_counts.size() > limits_.histogram_buckets) {
      return InvalidError("it has " + std::to_string(point.bucket_counts.size()) +
                          " buckets, at most " + std::to_string(limits_.histogram_buckets) +
                          " are allowed");
    }
    for (std::size_t i = 0; i < point.bounds.size(); ++i) {
      if (!std::isfinite(point.bounds[i]) || (i > 0 && point.bounds[i] <= point.bounds[i - 1])) {
        return InvalidError("its bounds are not finite and ascending");
      }
    }
    if (point.bucket_counts.empty() && point.bounds.empty()) return {};
    if (point.bucket_counts.size() != point.bounds.size() + 1) {
      return InvalidError("it has " + std::to_string(point.bounds.size()) + " bounds and " +
                          std::to_string(point.bucket_counts.size()) +
                          " bucket counts; expected one count more");
    }
    std::uint64_t sum = 0;
    for (const std::uint64_t count : point.bucket_counts) {
      if (__builtin_add_overflow(sum, count, &sum))
        return InvalidError("its bucket counts overflow");
    }
    if (sum != point.count) {
      return InvalidError("its bucket counts add up to " + std::to_string(sum) + ", its count is " +
                          std::to_string(point.count));
    }
    return {};
  }

  // Domain times of a point, or nothing when it was refused.
  std::optional<Times> CheckTimes(std::uint32_t series, std::int64_t delta_ms,
                                  std::uint64_t duration_ms) {
    if (duration_ms == 0 && last_ && last_->from_ms == delta_ms) return last_->times;
    std::int64_t time_ms = 0;
    std::int64_t ahead_ms = 0;
    if (__builtin_add_overflow(in_.base_time_ms, delta_ms, &time_ms) ||
        __builtin_sub_overflow(time_ms, clock_ms_, &ahead_ms)) {
      // Which way it went is all that is left of it.
      Refuse(series, delta_ms > 0 ? Refusal::kFuture : Refusal::kTooOld, "its time is not a time");
      return std::nullopt;
    }
    if (ahead_ms > limits_.future.count()) {
      return RefuseTime(series, Refusal::kFuture, ahead_ms);
    }
    if (ahead_ms < -limits_.past.count()) {
      return RefuseTime(series, Refusal::kTooOld, ahead_ms);
    }
    const std::int64_t domain_ms = ToMs(map_.ToDomain(RealFromMs(time_ms)));
    if (duration_ms == 0) {
      last_ = {delta_ms, {domain_ms - base_domain_ms_, 0}};
      return last_->times;
    }
    if (duration_ms > kDurationMsMax) {
      Refuse(series, Refusal::kBadStart, "it covers more than 100 years");
      return std::nullopt;
    }
    // By way of the start, so that one start stays one start whatever the speed rounds.
    const std::int64_t start_ms = time_ms - static_cast<std::int64_t>(duration_ms);
    const std::int64_t covered_ms = domain_ms - ToMs(map_.ToDomain(RealFromMs(start_ms)));
    return Times{domain_ms - base_domain_ms_,
                 covered_ms > 0 ? static_cast<std::uint64_t>(covered_ms) : 1};
  }

  // The series of a point, or nullptr when the point was refused for it.
  SeriesTable::Entry* EntryOf(std::uint32_t series) {
    if (series >= table_.size()) {
      Count(Refusal::kUnknownSeries, [&] {
        return "series index " + std::to_string(series) + " of " + std::to_string(table_.size()) +
               " series";
      });
      return nullptr;
    }
    SeriesTable::Entry& entry = table_.At(series);
    if (!entry.refusal) return &entry;
    Refuse(series, *entry.refusal, table_.Problem(series));
    return nullptr;
  }

  // False when there is no room for it; the point was refused.
  bool Known(std::uint32_t series, SeriesTable::Entry& entry) {
    if (entry.kept == generation_) return true;
    if (guard_->Keep(entry.fingerprint)) {
      entry.kept = generation_;
      return true;
    }
    return Refuse(series, Refusal::kTooManySeries, guard_->Full());
  }

  std::uint32_t PlaceOf(SeriesTable::Entry& entry) {
    if (entry.batch == table_.batch()) return entry.place;
    entry.batch = table_.batch();
    entry.place = static_cast<std::uint32_t>(out_.batch.series.size());
    const std::uint32_t metric = table_.PlaceOf(entry.input.metric, out_.batch.strings);
    const std::uint32_t unit = table_.PlaceOf(entry.input.unit, out_.batch.strings);
    out_.batch.series.push_back(
        {entry.fingerprint, static_cast<SeriesKind>(entry.input.kind), metric, unit, entry.labels});
    return entry.place;
  }

  bool Refuse(std::uint32_t series, Refusal reason, std::string_view problem) {
    Count(reason,
          [&] { return Truncate(table_.NameOf(series), 160) + ": " + std::string(problem); });
    return false;
  }

  std::nullopt_t RefuseTime(std::uint32_t series, Refusal reason, std::int64_t ahead_ms) {
    Count(reason, [&] {
      return Truncate(table_.NameOf(series), 160) + ": " + TimeFault(ahead_ms, limits_);
    });
    return std::nullopt;
  }

  template <typename Example>
  void Count(Refusal reason, Example example) {
    std::uint32_t& slot = slots_[static_cast<std::size_t>(reason)];
    if (slot == SeriesTable::kNone) {
      slot = static_cast<std::uint32_t>(out_.rejections.size());
      out_.rejections.push_back({reason, 0, Truncate(example(), kExampleBytesMax)});
    }
    ++out_.rejections[slot].points;
  }

  const BatchInput& in_;
  SeriesTable& table_;
  const Limits& limits_;
  const std::int64_t clock_ms_;
  const TimeMap& map_;
  SeriesGuard* const guard_;
  const std::uint64_t generation_;  // of the guard; 0 = without one all are known
  std::int64_t base_domain_ms_ = 0;
  struct Last {  // the points of a batch mostly have one time
    std::int64_t from_ms = 0;
    Times times;
  };
  std::optional<Last> last_;
  std::array<std::uint32_t, kRefusals> slots_ = [] {
    std::array<std::uint32_t, kRefusals> slots{};
    slots.fill(SeriesTable::kNone);
    return slots;
  }();
  Admission out_;
};

}  // namespace

const char* RefusalWord(Refusal refusal) {
  switch (refusal) {
    case Refusal::kFuture:
      return "future";
    case Refusal::kTooOld:
      return "too_old";
    case Refusal::kUnknownSeries:
      return "unknown_series";
    case Refusal::kBadMetric:
      return "bad_metric";
    case Refusal::kBadLabels:
      return "bad_labels";
    case Refusal::kBadKind:
      return "bad_kind";
    case Refusal::kBadStart:
      return "bad_start";
    case Refusal::kBadHistogram:
      return "bad_histogram";
    case Refusal::kNotFinite:
      return "not_finite";
    case Refusal::kNegative:
      return "negative";
    case Refusal::kUnsupported:
      return "unsupported";
    case Refusal::kForeign:
      return "foreign_service";
    case Refusal::kBadService:
      return "bad_service";
    case Refusal::kTooManySeries:
      return "too_many_series";
  }
  return "unknown";
}

void Admission::Reject(Refusal reason, std::uint64_t points, std::string_view example) {
  if (points == 0) return;
  for (Rejection& rejection : rejections) {
    if (rejection.reason != reason) continue;
    rejection.points += points;
    return;
  }
  rejections.push_back({reason, points, Truncate(example, kExampleBytesMax)});
}

std::uint64_t Admission::rejected_points() const {
  return std::accumulate(rejections.begin(), rejections.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Rejection& r) { return sum + r.points; });
}

Status CheckService(std::string_view service, const Limits& limits) {
  if (service.empty()) return InvalidError("the batch names no service");
  if (service.size() > limits.service_bytes) {
    return InvalidError("the service name is " + std::to_string(service.size()) +
                        " bytes long, at most " + std::to_string(limits.service_bytes) +
                        " are allowed");
  }
  if (!IsPlainText(service))
    return InvalidError("the service name is not UTF-8 or has control characters");
  return {};
}

Result<Admission> Admit(const BatchInput& batch, SeriesTable& table, const Limits& limits,
                        RealTime clock, const TimeMap& map, SeriesGuard* guard) {
  if (const Status s = CheckService(batch.service, limits); !s) return s.error();
  const std::size_t points = batch.point_value.size();
  const auto differs = [&](const char* column, std::size_t size) {
    return InvalidError(std::string("the columns differ in length: ") + std::to_string(points) +
                        " values, " + std::to_string(size) + " " + column);
  };
  if (batch.point_series.size() != points)
    return differs("series indexes", batch.point_series.size());
  if (batch.point_time_delta_ms.size() != points)
    return differs("times", batch.point_time_delta_ms.size());
  if (!batch.point_duration_ms.empty() && batch.point_duration_ms.size() != points) {
    return differs("durations", batch.point_duration_ms.size());
  }
  const auto too_many = [](const char* what, std::size_t count, std::size_t most) {
    return InvalidError("the batch has " + std::to_string(count) + " " + what + ", at most " +
                        std::to_string(most) + " are allowed; send it in parts");
  };
  const std::size_t all = points + batch.histograms.size();
  if (batch.series.size() > limits.series_per_batch) {
    return too_many("series", batch.series.size(), limits.series_per_batch);
  }
  if (all > limits.points_per_batch) return too_many("points", all, limits.points_per_batch);
  return Judge(batch, table, limits, clock, map, guard).Run();
}

Result<Admission> Admit(const BatchInput& batch, const Limits& limits, RealTime clock,
                        const TimeMap& map, SeriesGuard* guard) {
  SeriesTable table(batch.service, limits);
  table.Add(batch.strings, batch.series);
  Result<Admission> admission = Admit(batch, table, limits, clock, map, guard);
  if (admission.ok()) admission->batch.rewritten = table.TakeRewritten();
  return admission;
}

}  // namespace liveops::admit
