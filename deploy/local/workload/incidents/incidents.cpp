#include "deploy/local/workload/incidents/incidents.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "common/base/time.h"
#include "deploy/local/workload/model.h"

namespace liveops::workload {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kSeed = 7;
constexpr std::int64_t kStart = 1'772'359'200'000;  // 2026-03-01T10:00:00Z
constexpr double kBounds[] = {25,  50,  75,  100,  150,  200,  250, 300,
                              400, 500, 750, 1000, 1500, 2500, 5000};

// What the plan of deploy/plans reads, and how the recording tells it.
struct Series {
  const char* metric;
  const char* kind;
  const char* unit;
};
constexpr Series kSeries[] = {
    {"http_request_count", "delta", "1"}, {"http_5xx_count", "delta", "1"},
    {"http_4xx_count", "delta", "1"},     {"http_request_duration_ms", "histogram", "ms"},
    {"cpu_utilization", "gauge", "%"},    {"memory_utilization", "gauge", "%"},
    {"disk_utilization", "gauge", "%"},   {"db_connection_count", "gauge", "1"},
    {"redis_hit_rate", "gauge", "%"},
};

// A rolling update replaces one instance after the other.
constexpr Duration kRollPause{8'000};

// A stretch of time; empty when it begins where it ends.
struct Span {
  Duration from{0};
  Duration to{0};
  bool Has(Duration t) const { return t >= from && t < to; }
};

struct Script {
  std::string name;
  std::string about;
  std::string made_by;  // beyond the model
  Duration length{0};
  Duration interval{0};  // of the batches; whole steps of the model
  Span bad;              // the bad version runs
  Span starved;          // requests hardly arrive
  double starved_per_minute = 0;
  Span leak;  // connections are lost at this rate
  double leak_per_minute = 0;
  std::vector<std::pair<Duration, std::string>> marks;
};

std::vector<Script> Scripts() {
  Script deploy;
  deploy.name = "bad-deploy";
  deploy.about = "A bad version is rolled out: errors and latency rise until it is rolled back";
  deploy.length = minutes(45);
  deploy.interval = seconds(5);
  deploy.bad = {minutes(10), minutes(25)};
  deploy.marks = {{minutes(10), "fault begins: backend-api 2.4.0 is rolled out"},
                  {minutes(25), "rolled back to backend-api 2.3.1"}};

  Script traffic;
  traffic.name = "traffic-loss";
  traffic.about = "Requests stop arriving, but for a few, until the way to the service is repaired";
  traffic.made_by = "; from 10:12 to 10:25 its traffic is 2 requests a minute";
  traffic.length = minutes(40);
  traffic.interval = seconds(5);
  traffic.starved = {minutes(12), minutes(25)};
  traffic.starved_per_minute = 2;
  traffic.marks = {{minutes(12), "fault begins: a route is withdrawn"},
                   {minutes(25), "the route is back"}};

  Script leak;
  leak.name = "connection-leak";
  leak.about = "Connections to the database leak slowly until the service is restarted";
  leak.made_by =
      "; from 10:10 to 11:25 a leak of 1.5 connections a minute is added to its "
      "db_connection_count";
  leak.length = minutes(100);
  leak.interval = seconds(15);
  leak.leak = {minutes(10), minutes(85)};
  leak.leak_per_minute = 1.5;
  leak.marks = {{minutes(10), "fault begins: connections leak"},
                {minutes(85), "backend-api is restarted"}};

  Script quiet;
  quiet.name = "quiet-day";
  quiet.about = "A day on which nothing happens";
  quiet.length = hours(24);
  quiet.interval = minutes(1);
  return {deploy, traffic, leak, quiet};
}

// What the three instances measured since the last batch, merged.
class Gathered {
 public:
  void Add(const Sample& sample) {
    if (sample.kind == Kind::kCounterDelta) counts_[sample.metric] += sample.value;
    if (sample.kind == Kind::kObservation) Observe(sample.value);
    if (sample.kind == Kind::kGauge) {
      // The newest readings are kept; of several instances the greatest.
      const auto [place, fresh] = gauges_.try_emplace(sample.metric, sample);
      if (!fresh && place->second.value < sample.value) place->second.value = sample.value;
    }
  }
  void NewStep() { gauges_.clear(); }

  // The values of the series of the first line, and nothing is gathered any more.
  std::string TakeValues() {
    std::vector<std::string> values;
    for (const Series& series : kSeries) {
      if (std::string_view(series.kind) == "histogram") {
        values.push_back(fmt::format("[{}]", fmt::join(buckets_, ",")));
      } else if (std::string_view(series.kind) == "delta") {
        values.push_back(fmt::format("{}", counts_[series.metric]));
      } else {
        values.push_back(fmt::format("{}", gauges_.at(series.metric).value));
      }
    }
    *this = {};
    return fmt::format("{}", fmt::join(values, ","));
  }
  void AddConnections(double lost) { gauges_.at("db_connection_count").value += std::round(lost); }

 private:
  void Observe(double ms) {
    const auto* bound = std::lower_bound(std::begin(kBounds), std::end(kBounds), ms);
    ++buckets_[static_cast<std::size_t>(bound - std::begin(kBounds))];
  }

  std::map<std::string, double> counts_;
  std::map<std::string, Sample> gauges_;
  std::vector<std::uint64_t> buckets_ = std::vector<std::uint64_t>(std::size(kBounds) + 1);
};

// An instance under usual and under starved traffic; both go on, one is heard.
class Instance {
 public:
  Instance(const Script& script, const ModelOptions& usual, int number)
      : script_(script), number_(number), usual_(usual, number), starved_(Starved(), number) {}

  // What it measured in the step that begins at `t`.
  std::vector<Sample> Step(Duration t) {
    const Duration roll = kRollPause * number_;
    const bool bad = Span{script_.bad.from + roll, script_.bad.to + roll}.Has(t) &&
                     script_.bad.from < script_.bad.to;
    std::vector<Sample> usual = usual_.Step(bad);
    std::vector<Sample> starved = starved_.Step(bad);
    return script_.starved.Has(t) ? starved : usual;
  }

 private:
  ModelOptions Starved() const {
    ModelOptions options;
    options.seed = kSeed;
    options.requests_per_minute = script_.starved_per_minute;
    return options;
  }

  const Script& script_;
  int number_;
  InstanceModel usual_;
  InstanceModel starved_;
};

bool IsLatency(const Sample& sample) { return sample.metric == "http_request_duration_ms"; }

// To the second.
std::string Time(Duration since) { return FormatUtc(kStart + since.count()).substr(0, 19) + "Z"; }

std::string Head(const Script& script, const ModelOptions& options) {
  std::vector<std::string> series;
  for (const Series& s : kSeries) {
    const bool histogram = std::string_view(s.kind) == "histogram";
    series.push_back(
        fmt::format(R"({{"metric":"{}","kind":"{}","unit":"{}"{}}})", s.metric, s.kind, s.unit,
                    histogram ? fmt::format(R"(,"bounds":[{}])", fmt::join(kBounds, ",")) : ""));
  }
  return fmt::format(
      R"({{"recording":1,"service":"{}","about":"{}","made_by":"the demo's workload model )"
      R"((deploy/local/workload, seed {}): {} instances in steps of {}, merged into one batch each )"
      R"({}; of gauges the greatest{}","covers_ms":{},"series":[{}]}})"
      "\n",
      options.service, script.about, options.seed, options.instances, FormatDuration(options.step),
      FormatDuration(script.interval), script.made_by, script.interval.count(),
      fmt::join(series, ","));
}

std::string Record(const Script& script) {
  ModelOptions options;
  options.seed = kSeed;
  std::vector<Instance> instances;
  for (int i = 0; i < options.instances; ++i) instances.emplace_back(script, options, i);
  std::string out = Head(script, options);
  auto mark = script.marks.begin();
  Gathered gathered;
  for (Duration t{0}; t < script.length; t += options.step) {
    for (; mark != script.marks.end() && mark->first <= t; ++mark) {
      out += fmt::format(R"({{"mark":"{}","at":"{}"}})"
                         "\n",
                         mark->second, Time(mark->first));
    }
    gathered.NewStep();
    for (Instance& instance : instances) {
      for (const Sample& sample : instance.Step(t)) {
        if (sample.kind != Kind::kObservation || IsLatency(sample)) gathered.Add(sample);
      }
    }
    const Duration end = t + options.step;
    if (end % script.interval != Duration(0)) continue;
    if (script.leak.Has(t)) {
      const double past =
          std::chrono::duration<double, std::ratio<60>>(end - script.leak.from).count();
      gathered.AddConnections(script.leak_per_minute * past);
    }
    out += fmt::format(R"({{"at":"{}","values":[{}]}})"
                       "\n",
                       Time(end), gathered.TakeValues());
  }
  return out;
}

}  // namespace

std::vector<std::string> IncidentNames() {
  std::vector<std::string> names;
  for (const Script& script : Scripts()) names.push_back(script.name);
  return names;
}

std::string RecordIncident(std::string_view name) {
  for (const Script& script : Scripts()) {
    if (script.name == name) return Record(script);
  }
  return "";
}

}  // namespace liveops::workload
