#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "common/base/hash.h"
#include "common/base/time.h"

// One record of a shard's log as the engine reads it: views into bytes that the caller keeps for
// the call.
namespace liveops::engine {

enum class SeriesKind : std::uint8_t {
  kCounterDelta = 1,
  kCounterCumulative = 2,
  kGauge = 3,
  kObservation = 4,
  kHistogramDelta = 5,
  kHistogramCumulative = 6,
  kSlices = 7,  // no emitter's: the slices of an objective, as the engine counts them
};

// Which protocol brought the points. The numbers ascend by how late those may be.
enum class Protocol : std::uint8_t {
  kNative = 1,
  kOtlp = 2,
  kRemoteWrite = 3,
  kCloudWatch = 4,
  kCost = 5,
};

// (emitter, session, sequence); sequence 0 = the writer has none, its points are deduplicated by
// series and time.
struct Source {
  std::string_view emitter;
  std::uint64_t session = 0;
  std::uint64_t sequence = 0;
};

struct SeriesView {
  Fingerprint fingerprint;
  SeriesKind kind = SeriesKind::kGauge;
  std::string_view metric;
  std::string_view unit;  // UCUM
  std::string_view
      labels;  // canonical bytes (Labels::Decode); looked at only when the fingerprint is new
};

struct HistogramView {
  std::uint32_t series = 0;
  std::int64_t time_delta_ms = 0;
  std::uint64_t duration_ms = 0;  // 0 = start not known
  std::uint64_t count = 0;
  double sum = 0;
  std::span<const double> bounds;
  std::span<const std::uint64_t> bucket_counts;
};

// Columns of equal length; `durations` may be empty (all 0).
struct BatchView {
  std::string_view service;
  Protocol protocol = Protocol::kNative;
  std::span<const SeriesView> series;
  std::int64_t base_time_ms = 0;  // domain
  std::span<const std::uint32_t> point_series;
  std::span<const std::int64_t> point_time_delta_ms;
  std::span<const std::uint64_t> point_duration_ms;
  std::span<const double> point_value;
  std::span<const HistogramView> histograms;
};

struct TickView {
  std::string_view instance;
  std::uint64_t session = 0;
  std::int64_t steady_ms = 0;  // real milliseconds of the instance's monotonic clock
  bool accepting = true;
  bool goodbye = false;
  std::span<const std::pair<std::string_view, std::uint64_t>> refused_points;  // service -> points
  bool refused_any_service = false;  // of more services than the tick names
};

// Another service that rules of a plan read (ADR 11), and over how many partitions its series lie,
// since which event time; epoch = always.
struct ServiceRead {
  std::string service;
  int spread = 1;
  RealTime spread_from{};
  friend bool operator==(const ServiceRead&, const ServiceRead&) = default;
};

struct PlanActivationView {
  std::string_view service;
  std::uint64_t version = 0;
  std::string_view text;
  std::string_view applied_by = {};  // no verdict depends on it; told with the plan in force
  // Event time from which on the series lie over as many partitions as the text says; epoch = they
  // always did.
  RealTime spread_from{};
  std::span<const ServiceRead> reads = {};  // by name
};

struct DeploymentView {
  std::string_view service;
  std::string_view revision;
  std::string_view description;
  std::string_view actor;
  Instant time{};
};

struct DecommissionView {
  std::string_view service;
  std::string_view labels;  // canonical bytes, as of a series; those of whom it tells have all
  std::string_view reason;
  std::string_view actor;
  Instant time{};
};

struct ProbeStartView {
  std::string_view probe_id;
  std::string_view service;
  std::string_view expression;
  Duration within{0};
};

// What a source of a spread service says of one of its rules at one step (ADR 9).
struct ReadingsView {
  std::string_view service;
  std::string_view rule;  // its name
  std::uint64_t windows = 0;
  std::int32_t source_partition = 0;
  std::int64_t step_end_ms = 0;
  std::uint32_t part = 0;
  std::uint32_t parts = 0;
  std::string_view groups;  // as the engine encodes them
};

// An alert that somebody else judges, as it was told once.
struct ExternalAlertView {
  std::string_view service;
  std::string_view source;  // "alertmanager"
  std::string_view name;
  std::string_view labels;    // canonical bytes (Labels::Decode)
  std::string_view severity;  // as given
  std::string_view summary;
  std::string_view description;
  std::string_view runbook;
  std::string_view link;
  bool firing = false;  // false: it is over
  Instant starts{};
  // Firing: so long its word is good, epoch = until it says otherwise; over: when it ended.
  Instant until{};
};

struct RecordView {
  std::int64_t offset = 0;
  RealTime append_time{};  // the broker's; the engine maps it to domain time
  Source source;
  std::variant<BatchView, TickView, PlanActivationView, DeploymentView, ProbeStartView,
               ReadingsView, ExternalAlertView, DecommissionView>
      body;
};

// The same as a shard makes it, to be written into the home's partition.
struct Readings {
  std::int32_t home_partition = 0;
  std::string service;
  std::string rule;
  std::uint64_t windows = 0;
  std::int32_t source_partition = 0;
  std::int64_t step_end_ms = 0;
  std::uint32_t part = 0;
  std::uint32_t parts = 0;
  std::string groups;
};
inline ReadingsView ViewOf(const Readings& r) {
  return {r.service,     r.rule, r.windows, r.source_partition,
          r.step_end_ms, r.part, r.parts,   r.groups};
}

}  // namespace liveops::engine
