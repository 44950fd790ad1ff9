#include "integration-tests/benchmarks/engine/population.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "common/base/hash.h"
#include "common/base/labels.h"
#include "liveops/v1/metrics.pb.h"

namespace liveops::bench {
namespace {

constexpr std::int64_t kBeginMs = 1'770'195'600'000;  // 2026-02-04T09:00:00Z
constexpr std::int64_t kTickMs = 250;
constexpr std::int64_t kOnTheWayMs = 40;  // from the event to the broker
constexpr int kServicesPerRequest = 20;   // 2,000 points

constexpr std::array<const char*, 6> kCodeNames = {"200", "201", "301", "404", "500", "503"};
constexpr std::array<int, 6> kCodeWeights = {200, 20, 5, 10, 1, 1};  // requests in 5 s
constexpr int kFailing = 40;                                         // of svc-0
constexpr std::array<double, 11> kBounds = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
constexpr std::array<const char*, 12> kBoundNames = {
    "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"};
// Of 236 requests; the 95th percentile lies near a quarter of a second.
constexpr std::array<int, 12> kBucketWeights = {5, 19, 60, 60, 50, 32, 7, 2, 1, 0, 0, 0};

enum StringIndex { kRequests, kDurations, kCpu, kMemory, kOne, kSeconds, kPercent, kBytes };
constexpr std::array<const char*, 8> kStrings = {
    "http_requests_total", "http_request_duration_seconds", "cpu", "memory", "1", "s", "%", "By"};

// Any number, the same for the same salt (the last steps of MurmurHash3's 64-bit mix).
std::uint64_t Mix(std::uint64_t salt) {
  salt = (salt ^ (salt >> 33)) * 0xff51'afd7'ed55'8ccdu;
  salt = (salt ^ (salt >> 33)) * 0xc4ce'b9fe'1a85'ec53u;
  return salt ^ (salt >> 33);
}

// `usual`, give or take a quarter.
std::uint64_t About(int usual, std::uint64_t salt) {
  const auto spread = static_cast<std::uint64_t>(usual) / 2 + 1;
  return static_cast<std::uint64_t>(usual) - spread / 2 + Mix(salt) % spread;
}

std::string Varint(std::uint64_t v) {
  std::string out;
  for (; v >= 0x80; v >>= 7) out.push_back(static_cast<char>(v | 0x80));
  out.push_back(static_cast<char>(v));
  return out;
}

class SeriesWriter {
 public:
  SeriesWriter(v1::MetricBatch& batch, int instance) : batch_(batch) {
    labels_.Set("env", "prod");
    labels_.Set("instance", fmt::format("{}-{}", batch.service(), instance));
    labels_.Set("region", "eu-central-1");
    labels_.Set("service", batch.service());
  }

  void Add(v1::SeriesKind kind, StringIndex metric, StringIndex unit, const char* label = nullptr,
           const char* value = nullptr) {
    Labels labels = labels_;
    if (label != nullptr) labels.Set(label, value);
    v1::SeriesEntry& entry = *batch_.add_series();
    entry.set_kind(kind);
    entry.set_metric(metric);
    entry.set_unit(unit);
    entry.set_labels(labels.Encode());
    const char as_byte = static_cast<char>(kind);
    const std::array<std::string_view, 5> identity = {batch_.service(), batch_.strings(metric),
                                                      std::string_view(&as_byte, 1),
                                                      batch_.strings(unit), entry.labels()};
    const Fingerprint fingerprint = FingerprintOf(identity);
    entry.set_fingerprint_hi(fingerprint.hi);
    entry.set_fingerprint_lo(fingerprint.lo);
  }

 private:
  v1::MetricBatch& batch_;
  Labels labels_;
};

}  // namespace

Population::Population(const PopulationOptions& options) : options_(options) {
  for (int i = 0; i < options.services; ++i) fixed_.push_back(FixedPart(i));
  instances_.resize(static_cast<std::size_t>(options.services * options.instances));
}

std::int64_t Population::series() const {
  const int of_instance = kCodes + (options_.classic_buckets ? kBuckets : 1) + 2;
  return std::int64_t{options_.services} * options_.instances * of_instance;
}

std::string Population::ServiceName(int service) { return fmt::format("svc-{}", service); }

std::string Population::FixedPart(int service) const {
  v1::MetricBatch batch;
  batch.set_service(ServiceName(service));
  batch.set_protocol(v1::PROTOCOL_NATIVE);
  for (const char* text : kStrings) batch.add_strings(text);
  if (options_.classic_buckets) {
    batch.set_strings(kDurations, fmt::format("{}_bucket", kStrings[kDurations]));
  }
  for (int i = 0; i < options_.instances; ++i) {
    SeriesWriter series(batch, i);
    for (const char* code : kCodeNames) {
      series.Add(v1::SERIES_KIND_COUNTER_CUMULATIVE, kRequests, kOne, "code", code);
    }
    if (options_.classic_buckets) {
      for (const char* bound : kBoundNames) {
        series.Add(v1::SERIES_KIND_COUNTER_CUMULATIVE, kDurations, kSeconds, "le", bound);
      }
    } else {
      series.Add(v1::SERIES_KIND_HISTOGRAM_CUMULATIVE, kDurations, kSeconds);
    }
    series.Add(v1::SERIES_KIND_GAUGE, kCpu, kPercent);
    series.Add(v1::SERIES_KIND_GAUGE, kMemory, kBytes);
  }
  return batch.SerializeAsString();
}

std::string Population::PlanOf(int service) const {
  std::string plan = fmt::format(
      R"(service: {}
owners:
  on-call: {{slack: "#oncall"}}
metrics:
  5xx:
    ratio:
      - http_requests_total{{code!="200",code!="201",code!="301",code!="404"}}
      - http_requests_total
alarms:
)",
      ServiceName(service));
  for (int i = 0; i < options_.rules_per_service; ++i) {
    const int kind = (service + i) % 5;
    std::string when =
        fmt::format("5xx over {} > {}%", FormatDuration(options_.ratio_window), 5 + i / 5);
    if (kind == 2 || kind == 3) {
      when = fmt::format("p95(http_request_duration_seconds) over {} > {}s",
                         FormatDuration(options_.quantile_window), 0.8 + i / 5);
    } else if (kind == 4) {
      when = fmt::format("avg(cpu) by instance over {} > {}% for 5min",
                         FormatDuration(options_.gauge_window), 90 + i / 5);
    }
    plan += fmt::format("  - {{name: rule-{}, when: \"{}\", severity: high, owner: on-call}}\n", i,
                        when);
  }
  return plan;
}

LogRecord Population::TickAt(std::int64_t at_ms) const {
  v1::ShardRecord record;
  record.mutable_source()->set_emitter("ingest-0");
  v1::Tick& tick = *record.mutable_tick();
  tick.set_instance("ingest-0");
  tick.set_session(1);
  tick.set_steady_ms(at_ms);
  tick.set_accepting(true);
  return {RealFromMs(kBeginMs + at_ms), record.SerializeAsString()};
}

std::vector<LogRecord> Population::Opening() const {
  std::vector<LogRecord> records = {TickAt(0)};
  for (int i = 0; i < options_.ruled_services; ++i) {
    v1::ShardRecord record;
    v1::PlanActivation& plan = *record.mutable_plan();
    plan.set_service(ServiceName(i));
    plan.set_version(1);
    plan.set_text(PlanOf(i));
    records.push_back({records[0].append, record.SerializeAsString()});
  }
  return records;
}

std::vector<LogRecord> Population::NextStep() {
  ++step_;
  const std::int64_t begin = step_ * kStepMs;
  const int requests = (options_.services + kServicesPerRequest - 1) / kServicesPerRequest;
  std::vector<LogRecord> records;
  records.reserve(static_cast<std::size_t>(options_.services + kStepMs / kTickMs));
  std::int64_t tick = begin;
  for (int i = 0; i < options_.services; ++i) {
    const std::int64_t at = begin + kStepMs * (i / kServicesPerRequest) / requests;
    for (; tick <= at; tick += kTickMs) records.push_back(TickAt(tick));
    records.push_back(RecordOf(i, at));
  }
  for (; tick < begin + kStepMs; tick += kTickMs) records.push_back(TickAt(tick));
  return records;
}

void Population::Advance(int service, Instance& instance, std::uint64_t salt) const {
  for (int code = 0; code < kCodes; ++code) {
    const bool failing = service == 0 && code == 4;
    instance.codes[code] +=
        static_cast<double>(About(failing ? kFailing : kCodeWeights[code], salt++));
  }
  double below = 0;
  for (int bucket = 0; bucket < kBuckets; ++bucket) {
    const std::uint64_t more =
        kBucketWeights[bucket] == 0 ? 0 : About(kBucketWeights[bucket], salt++);
    instance.buckets[bucket] += more;
    const double bound = bucket + 1 < kBuckets ? kBounds[bucket] : below;
    instance.seconds += static_cast<double>(more) * (below + bound) / 2;
    below = bound;
  }
}

LogRecord Population::RecordOf(int service, std::int64_t at_ms) {
  v1::MetricBatch points;
  points.set_base_time_ms(kBeginMs + at_ms - kOnTheWayMs);
  std::uint32_t series = 0;
  // The counters began with the log; 0 = a gauge's reading covers nothing.
  const auto add = [&](double value, std::int64_t duration_ms) {
    points.add_point_series(series++);
    points.add_point_time_delta_ms(0);
    points.add_point_duration_ms(static_cast<std::uint64_t>(duration_ms));
    points.add_point_value(value);
  };
  for (int i = 0; i < options_.instances; ++i) {
    const auto number = static_cast<std::uint64_t>(service * options_.instances + i);
    Instance& instance = instances_[number];
    const std::uint64_t salt = number << 32 | static_cast<std::uint64_t>(step_) << 8;
    Advance(service, instance, salt);
    for (const double total : instance.codes) add(total, at_ms);
    if (options_.classic_buckets) {
      std::uint64_t total = 0;
      for (const std::uint64_t count : instance.buckets) {
        total += count;
        add(static_cast<double>(total), at_ms);
      }
    } else {
      v1::HistogramPoint& histogram = *points.add_histograms();
      histogram.set_series(series++);
      histogram.set_duration_ms(static_cast<std::uint64_t>(at_ms));
      histogram.set_sum(instance.seconds);
      for (const double bound : kBounds) histogram.add_bounds(bound);
      std::uint64_t total = 0;
      for (const std::uint64_t count : instance.buckets) {
        total += count;
        histogram.add_bucket_counts(count);
      }
      histogram.set_count(total);
    }
    add(static_cast<double>(300 + Mix(salt + 100) % 400) / 10, 0);
    add(static_cast<double>(400'000'000 + Mix(salt + 101) % 100'000'000), 0);
  }
  // A message in two pieces is the message that both make up.
  const std::string& fixed = fixed_[static_cast<std::size_t>(service)];
  const std::string changing = points.SerializeAsString();
  v1::ShardRecord record;
  record.mutable_source()->set_emitter(ServiceName(service) + "-agent");
  record.mutable_source()->set_session(1);
  record.mutable_source()->set_sequence(static_cast<std::uint64_t>(step_));
  std::string value = record.SerializeAsString();
  constexpr char kBatchTag = v1::ShardRecord::kBatchFieldNumber << 3 | 2;
  value += kBatchTag + Varint(fixed.size() + changing.size()) + fixed + changing;
  return {RealFromMs(kBeginMs + at_ms), std::move(value)};
}

}  // namespace liveops::bench
