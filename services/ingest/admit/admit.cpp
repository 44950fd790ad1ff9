#include "services/ingest/admit/admit.h"

#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

#include "common/base/labels.h"
#include "common/base/text.h"
#include "services/ingest/admit/words.h"

namespace liveops::admit {
namespace {

constexpr std::uint64_t kDurationMsMax = 3'155'760'000'000;  // 100 years
constexpr std::size_t kExampleBytesMax = 300;
constexpr std::uint32_t kNone = UINT32_MAX;

bool IsHistogram(SeriesKind kind) {
  return kind == SeriesKind::kHistogramDelta || kind == SeriesKind::kHistogramCumulative;
}

bool IsCounter(SeriesKind kind) {
  return kind == SeriesKind::kCounterDelta || kind == SeriesKind::kCounterCumulative;
}

// Judges the points of one batch.
class Judge {
 public:
  Judge(const BatchInput& batch, const Limits& limits, RealTime clock, const TimeMap& map)
      : in_(batch), limits_(limits), clock_ms_(ToMs(clock)), map_(map) {
    states_.resize(batch.series.size());
    words_.resize(batch.strings.size());
    out_.batch.series.reserve(batch.series.size());
    base_domain_ms_ = ToMs(map_.ToDomain(clock));
    out_.batch.base_time_ms = base_domain_ms_;
  }

  Admission Run() && {
    Reserve();
    bool any_duration = false;
    for (std::size_t i = 0; i < in_.point_value.size(); ++i) {
      const std::uint64_t duration = in_.point_duration_ms.empty() ? 0 : in_.point_duration_ms[i];
      any_duration |= Point(i, duration);
    }
    if (!any_duration) out_.batch.point_duration_ms.clear();
    for (const HistogramInput& histogram : in_.histograms) HistogramPoint(histogram);
    return std::move(out_);
  }

 private:
  struct State {
    bool checked = false;
    std::uint32_t index = kNone;  // in the result, once a point of it was admitted
    std::optional<Refusal> refusal;
    std::string_view labels;
  };
  struct Word {                   // of the input's strings
    std::uint32_t index = kNone;  // in the result, once an admitted series named it
    bool checked = false;
    bool plain = false;
  };
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

  // Whether the point was admitted with a start.
  bool Point(std::size_t i, std::uint64_t duration_ms) {
    const std::uint32_t series = in_.point_series[i];
    const double value = in_.point_value[i];
    State* const state = StateOf(series);
    if (!state) return false;
    const auto kind = static_cast<SeriesKind>(in_.series[series].kind);
    if (IsHistogram(kind))
      return Refuse(series, Refusal::kBadKind, "a single value for a histogram");
    if (!std::isfinite(value))
      return Refuse(series, Refusal::kNotFinite, "the value is NaN or infinite");
    if (value < 0 && IsCounter(kind)) {
      return Refuse(series, Refusal::kNegative, "a counter has the value " + FormatNumber(value));
    }
    const auto times = CheckTimes(series, in_.point_time_delta_ms[i], duration_ms);
    if (!times) return false;
    out_.batch.point_series.push_back(IndexOf(series, *state));
    out_.batch.point_time_delta_ms.push_back(times->delta_ms);
    out_.batch.point_duration_ms.push_back(times->duration_ms);
    out_.batch.point_value.push_back(value);
    return times->duration_ms != 0;
  }

  void HistogramPoint(const HistogramInput& point) {
    State* const state = StateOf(point.series);
    if (!state) return;
    if (!IsHistogram(static_cast<SeriesKind>(in_.series[point.series].kind))) {
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
    if (!times) return;
    out_.batch.histograms.push_back({IndexOf(point.series, *state), times->delta_ms,
                                     times->duration_ms, point.count, point.sum, point.bounds,
                                     point.bucket_counts});
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
      Refuse(series, Refusal::kFuture,
             "its time is " + FormatElapsed(Duration(ahead_ms)) + " ahead");
      return std::nullopt;
    }
    if (ahead_ms < -limits_.past.count()) {
      Refuse(series, Refusal::kTooOld,
             "its time is " + FormatElapsed(Duration(-ahead_ms)) + " behind");
      return std::nullopt;
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
  State* StateOf(std::uint32_t series) {
    if (series >= states_.size()) {
      Count(Refusal::kUnknownSeries, [&] {
        return "series index " + std::to_string(series) + " of " + std::to_string(states_.size()) +
               " series";
      });
      return nullptr;
    }
    State& state = states_[series];
    if (!state.checked) {
      state.checked = true;
      CheckSeries(series, state);
    }
    if (!state.refusal) return &state;
    Refuse(series, *state.refusal, problems_[series]);
    return nullptr;
  }

  bool IsPlain(std::uint32_t string) {
    Word& word = words_[string];
    if (!word.checked) {
      word.checked = true;
      word.plain = IsPlainWord(in_.strings[string]);
    }
    return word.plain;
  }

  void CheckSeries(std::uint32_t index, State& state) {
    const SeriesInput& series = in_.series[index];
    const auto fail = [&](Refusal refusal, std::string problem) {
      state.refusal = refusal;
      problems_[index] = std::move(problem);
    };
    if (series.kind < static_cast<int>(SeriesKind::kCounterDelta) ||
        series.kind > static_cast<int>(SeriesKind::kHistogramCumulative)) {
      return fail(Refusal::kBadKind, "kind " + std::to_string(series.kind) + " is not known");
    }
    if (series.metric >= in_.strings.size() || series.unit >= in_.strings.size()) {
      return fail(Refusal::kBadMetric, "its name or unit is not in the string table");
    }
    const std::string_view metric = in_.strings[series.metric];
    const std::string_view unit = in_.strings[series.unit];
    if (metric.empty()) return fail(Refusal::kBadMetric, "the metric has no name");
    if (metric.size() > limits_.metric_bytes || !IsPlain(series.metric)) {
      return fail(Refusal::kBadMetric, "the metric's name is longer than " +
                                           std::to_string(limits_.metric_bytes) +
                                           " bytes, not UTF-8, or has control characters");
    }
    if (unit.size() > limits_.unit_bytes || !IsPlain(series.unit)) {
      return fail(Refusal::kBadMetric, "the unit is longer than " +
                                           std::to_string(limits_.unit_bytes) +
                                           " bytes, not UTF-8, or has control characters");
    }
    const auto labels = CanonicalLabels(series.labels, limits_, out_.batch.rewritten);
    if (!labels) return fail(Refusal::kBadLabels, labels.error().message);
    state.labels = *labels;
  }

  std::uint32_t IndexOf(std::uint32_t series, State& state) {
    if (state.index != kNone) return state.index;
    state.index = static_cast<std::uint32_t>(out_.batch.series.size());
    const SeriesInput& input = in_.series[series];
    const std::string_view metric = in_.strings[input.metric];
    const std::string_view unit = in_.strings[input.unit];
    const char kind = static_cast<char>(input.kind);
    const std::array<std::string_view, 5> identity = {
        in_.service, metric, std::string_view(&kind, 1), unit, state.labels};
    out_.batch.series.push_back({FingerprintOf(identity), static_cast<SeriesKind>(input.kind),
                                 StringIndex(input.metric), StringIndex(input.unit), state.labels});
    return state.index;
  }

  std::uint32_t StringIndex(std::uint32_t string) {
    std::uint32_t& index = words_[string].index;
    if (index == kNone) {
      index = static_cast<std::uint32_t>(out_.batch.strings.size());
      out_.batch.strings.push_back(in_.strings[string]);
    }
    return index;
  }

  bool Refuse(std::uint32_t series, Refusal reason, std::string_view problem) {
    Count(reason, [&] {
      const SeriesInput& input = in_.series[series];
      std::string name = input.metric < in_.strings.size()
                             ? ScrubUtf8(Truncate(in_.strings[input.metric], 100))
                             : "series " + std::to_string(series);
      if (const auto labels = Labels::Decode(states_[series].labels)) name += labels->ToString();
      return Truncate(name, 160) + ": " + std::string(problem);
    });
    return false;
  }

  template <typename Example>
  void Count(Refusal reason, Example example) {
    std::uint32_t& slot = slots_[static_cast<std::size_t>(reason)];
    if (slot == kNone) {
      slot = static_cast<std::uint32_t>(out_.rejections.size());
      out_.rejections.push_back({reason, 0, Truncate(example(), kExampleBytesMax)});
    }
    ++out_.rejections[slot].points;
  }

  const BatchInput& in_;
  const Limits& limits_;
  const std::int64_t clock_ms_;
  const TimeMap& map_;
  std::int64_t base_domain_ms_ = 0;
  struct Last {  // the points of a batch mostly have one time
    std::int64_t from_ms = 0;
    Times times;
  };
  std::optional<Last> last_;
  std::vector<State> states_;
  std::vector<Word> words_;
  std::map<std::uint32_t, std::string> problems_;  // of refused series
  std::array<std::uint32_t, kRefusals> slots_ = [] {
    std::array<std::uint32_t, kRefusals> slots{};
    slots.fill(kNone);
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
  if (!IsPlainWord(service))
    return InvalidError("the service name is not UTF-8 or has control characters");
  return {};
}

Result<Admission> Admit(const BatchInput& batch, const Limits& limits, RealTime clock,
                        const TimeMap& map) {
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
  return Judge(batch, limits, clock, map).Run();
}

}  // namespace liveops::admit
