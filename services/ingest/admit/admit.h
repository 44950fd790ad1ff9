#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/hash.h"
#include "common/base/result.h"
#include "common/base/time.h"

// What may enter the log, as plain data: no protocol, no clock, no I/O. Points are judged one by
// one: the good points of a batch are kept, the others counted with a reason.
namespace liveops::admit {

enum class SeriesKind : std::uint8_t {
  kCounterDelta = 1,
  kCounterCumulative = 2,
  kGauge = 3,
  kObservation = 4,
  kHistogramDelta = 5,
  kHistogramCumulative = 6,
};

struct Limits {
  std::size_t service_bytes = 128;
  std::size_t metric_bytes = 255;
  std::size_t unit_bytes = 63;  // as OpenTelemetry's instruments
  std::size_t labels_per_series = 64;
  std::size_t label_name_bytes = 128;
  std::size_t label_value_bytes = 1024;
  std::size_t series_per_batch = 100'000;
  std::size_t series_per_stream = 200'000;   // that a WriteSeries stream spells in its life
  std::size_t series_per_service = 500'000;  // sent of late: a newcomer beyond it is refused
  std::size_t series_in_all = 2'000'000;     // likewise, of all services
  std::size_t points_per_batch = 1'000'000;
  std::size_t histogram_buckets = 1000;
  Duration future{10'000};   // real time beyond ingest's clock
  Duration past{7'200'000};  // real time behind it
};

// Why a point was refused, for good: sending it again changes nothing.
enum class Refusal : std::uint8_t {
  kFuture,         // stamped too far beyond ingest's clock
  kTooOld,         // or behind it
  kUnknownSeries,  // names a series that the batch does not spell
  kBadMetric,      // metric name or unit: missing, too long, not UTF-8, control characters
  kBadLabels,      // malformed, a name twice, too many, too long, not UTF-8
  kBadKind,        // not a kind, or a histogram point of a scalar series and the reverse
  kBadStart,       // its start lies after it, or unreasonably long before
  kBadHistogram,   // bounds not ascending, bucket counts that do not fit
  kNotFinite,      // NaN or infinite
  kNegative,       // a counter's increase or total below zero
  kUnsupported,    // a form that LiveOps does not take (said by the protocol's codec)
  kForeign,        // the sender may not write this service
  kBadService,     // the batch's service: no name, too long, not UTF-8, control characters
  kTooManySeries,  // the series is new, and its service has as many as it may
};
inline constexpr std::size_t kRefusals = 14;
const char* RefusalWord(Refusal refusal);  // "future", "too_old", "unknown_series", …

// --- in: views into the caller's bytes ---------------------------------------------------------

struct SeriesInput {
  int kind = 0;              // as it came; a value of SeriesKind or not
  std::uint32_t metric = 0;  // index into BatchInput::strings
  std::uint32_t unit = 0;
  std::string_view labels;  // pairs as Labels::Encode writes them, in any order
};

struct HistogramInput {
  std::uint32_t series = 0;
  std::int64_t time_delta_ms = 0;
  std::uint64_t duration_ms = 0;  // 0 = start not known
  std::uint64_t count = 0;
  double sum = 0;
  std::span<const double> bounds;
  std::span<const std::uint64_t> bucket_counts;  // bounds + 1; may be empty when bounds is
};

struct BatchInput {
  std::string_view service;
  std::span<const std::string_view> strings;
  std::span<const SeriesInput> series;
  std::int64_t base_time_ms = 0;  // real
  std::span<const std::uint32_t> point_series;
  std::span<const std::int64_t> point_time_delta_ms;
  std::span<const std::uint64_t> point_duration_ms;  // may be empty: all 0
  std::span<const double> point_value;
  std::span<const HistogramInput> histograms;

  std::uint64_t points() const { return point_value.size() + histograms.size(); }
};

// --- out ----------------------------------------------------------------------------------------

struct Series {
  Fingerprint fingerprint;  // over (service, metric, kind, unit, label bytes)
  SeriesKind kind = SeriesKind::kGauge;
  std::uint32_t metric = 0;  // index into Admitted::strings
  std::uint32_t unit = 0;
  std::string_view labels;  // canonical: Labels::Decode reads them
};

struct Histogram {
  std::uint32_t series = 0;
  std::int64_t time_delta_ms = 0;  // domain
  std::uint64_t duration_ms = 0;   // domain
  std::uint64_t count = 0;
  double sum = 0;
  std::span<const double> bounds;                // of the input
  std::span<const std::uint64_t> bucket_counts;  // of the input; empty: one bucket with `count`
};

// Only series that have an admitted point, only strings that a series names. Times are domain time.
// It views the input.
struct Admitted {
  Admitted() = default;
  Admitted(Admitted&&) = default;
  Admitted& operator=(Admitted&&) = default;

  std::vector<std::string_view> strings;  // of the input
  std::vector<Series> series;
  std::deque<std::string> rewritten;  // labels that the input does not have in canonical form
  std::int64_t base_time_ms = 0;
  std::vector<std::uint32_t> point_series;
  std::vector<std::int64_t> point_time_delta_ms;
  std::vector<std::uint64_t> point_duration_ms;  // empty when all are 0
  std::vector<double> point_value;
  std::vector<Histogram> histograms;

  std::uint64_t points() const { return point_value.size() + histograms.size(); }
};

struct Rejection {
  Refusal reason = Refusal::kFuture;
  std::uint64_t points = 0;
  std::string example;  // one of them, for people
};

class SeriesTable;

struct Admission {
  Admitted batch;
  std::vector<Rejection> rejections;  // one a reason

  void Reject(Refusal reason, std::uint64_t points, std::string_view example);
  std::uint64_t rejected_points() const;
  bool refused_for_time() const;  // a point for kFuture or kTooOld
};

// Limits how many series a service has: newcomers are refused.
class SeriesGuard {
 public:
  virtual ~SeriesGuard() = default;
  // A series that was kept in this generation need not be asked for again before the next; never 0.
  virtual std::uint64_t generation() const = 0;
  // Keep of the series will be asked soon: what is known of it may be brought near.
  virtual void Expect(const Fingerprint& series) const = 0;
  // A point of the series came. False: it is new, and there is no room.
  virtual bool Keep(const Fingerprint& series) = 0;
  virtual std::string Full() const = 0;  // why not, for people
};

// `clock` is ingest's (real); `map` gives the domain times of the result. `guard`: of the batch's
// service; none = whatever series come are taken.
// kInvalid when the batch as a whole cannot be read: columns of unequal length, no sound service
// name, a limit on the number of series or points.
Result<Admission> Admit(const BatchInput& batch, const Limits& limits, RealTime clock,
                        const TimeMap& map, SeriesGuard* guard = nullptr);

// Likewise, of points that name the series of `table`, to which those of the batch have been added.
// The result views the table.
Result<Admission> Admit(const BatchInput& batch, SeriesTable& table, const Limits& limits,
                        RealTime clock, const TimeMap& map, SeriesGuard* guard = nullptr);

// What is wrong with a time that lies so far ahead (or behind, below 0), and what would not be.
std::string TimeFault(std::int64_t ahead_ms, const Limits& limits);
std::string TimeFault(std::int64_t time_ms, RealTime clock, const Limits& limits);

// The median (of at most a hundred of them) of the event times of a batch, as it came; nothing when
// it has none.
std::optional<RealTime> MedianTime(const BatchInput& batch);

// kInvalid, with the reason, unless it is a service name that may enter the log.
Status CheckService(std::string_view service, const Limits& limits);

// The canonical form (sorted by name, no length longer than it need be) of label pairs: `pairs`
// itself when it is that, else what is added to `rewritten`. kInvalid with what is wrong.
Result<std::string_view> CanonicalLabels(std::string_view pairs, const Limits& limits,
                                         std::deque<std::string>& rewritten);

}  // namespace liveops::admit
