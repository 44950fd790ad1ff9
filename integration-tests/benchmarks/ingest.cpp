#include "integration-tests/benchmarks/ingest.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>
#include <thread>
#include <vector>

#include "deploy/local/stack/usage.h"
#include "integration-tests/benchmarks/ingest_feeders.h"
#include "integration-tests/benchmarks/load.h"
#include "integration-tests/benchmarks/victoria_metrics.h"

namespace liveops::bench {
namespace {

using std::chrono::seconds;

constexpr seconds kWarm{3};
constexpr seconds kMeasured{30};
constexpr double kElapsed = std::chrono::duration<double>(kMeasured).count();

// What was used and done while it was fed.
struct Usage {
  double points = 0;
  std::vector<double> cpu_s;  // of each process
};

Result<Usage> Feed(Way way, const std::string& address, const std::vector<pid_t>& processes) {
  std::atomic<bool> stop{false};
  std::vector<std::unique_ptr<Feeder>> feeders;
  for (int c = 0; c < kFeeders; ++c) feeders.push_back(NewFeeder(way, address, c, stop));
  std::vector<Status> outcomes(feeders.size());
  std::vector<std::thread> threads;
  for (std::size_t c = 0; c < feeders.size(); ++c)
    threads.emplace_back([&, c] { outcomes[c] = feeders[c]->Run(); });
  const auto read = [&]() -> Result<Usage> {
    Usage usage;
    for (const auto& feeder : feeders) usage.points += static_cast<double>(feeder->answered());
    for (const pid_t pid : processes) {
      const Result<double> cpu_s = stack::CpuSeconds(pid);
      if (!cpu_s.ok()) return cpu_s.error();
      usage.cpu_s.push_back(*cpu_s);
    }
    return usage;
  };
  std::this_thread::sleep_for(kWarm);
  const Result<Usage> before = read();
  std::this_thread::sleep_for(kMeasured);
  Result<Usage> after = read();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  for (const Status& outcome : outcomes) {
    if (!outcome.ok()) return outcome.error();
  }
  if (!before.ok()) return before.error();
  if (!after.ok()) return after.error();
  after->points -= before->points;
  for (std::size_t i = 0; i < processes.size(); ++i) after->cpu_s[i] -= before->cpu_s[i];
  return after;
}

struct Rates {
  double per_core = 0;         // samples a second of ingest's CPU time
  double with_the_broker = 0;  // likewise, of that and the broker's
};

Result<Rates> Measure(const std::string& dir, Way way, const char* name) {
  auto started = stack::Stack::Start(Unthrottled(dir));
  if (!started.ok()) return started.error();
  stack::Stack& stack = **started;
  // Who reads the log is not what is measured, and there are two cores.
  const pid_t evaluator = stack.service(stack::Service::kRuleEvaluation).process().pid();
  (void)kill(evaluator, SIGSTOP);
  stack::ServiceProcess& ingest = stack.service(stack::Service::kIngest);
  const Result<Usage> used =
      Feed(way, way == Way::kRemoteWrite ? ingest.http_address() : stack.plain_ingest(),
           {ingest.process().pid(), stack.kafka().process().pid()});
  (void)kill(evaluator, SIGCONT);
  if (!used.ok()) return used.error();
  const double ingest_s = used->cpu_s[0];
  const double broker_s = used->cpu_s[1];
  const Rates rates{used->points / ingest_s, used->points / (ingest_s + broker_s)};
  Say(fmt::format(
      "{}: {:.2f} M, with the broker's CPU {:.2f} M; {:.2f} M a second by {:.2f} cores, "
      "the broker took {:.2f}",
      name, rates.per_core / 1e6, rates.with_the_broker / 1e6, used->points / kElapsed / 1e6,
      ingest_s / kElapsed, broker_s / kElapsed));
  return rates;
}

// By the same sender, in the same run. VictoriaMetrics stores what it takes, so the comparison
// stands beside it in which Kafka's work counts as ours.
Status CompareWithVictoriaMetrics(const std::string& dir, const Rates& ours, Report& report) {
  const auto started = VictoriaMetrics::Start(dir + "-victoria-metrics");
  if (!started.ok() && started.error().code == ErrorCode::kNotFound) {
    Say("ingest_remote_write_vs_victoriametrics is skipped: " + started.error().message);
    return {};
  }
  if (!started.ok()) return started.error();
  VictoriaMetrics& theirs = **started;
  const Result<Usage> used = Feed(Way::kRemoteWrite, theirs.address(), {theirs.process().pid()});
  if (!used.ok()) return used.error();
  const double per_core = used->points / used->cpu_s[0];
  Say(fmt::format("victoria-metrics: {:.2f} M; {:.2f} M a second by {:.2f} cores", per_core / 1e6,
                  used->points / kElapsed / 1e6, used->cpu_s[0] / kElapsed));
  report.Add({"victoriametrics_remote_write_samples_per_core_s", per_core, "/core/s", false, 0});
  report.Add({"ingest_remote_write_vs_victoriametrics", ours.per_core / per_core, "x", false, 2});
  report.Add({"ingest_remote_write_and_broker_vs_victoriametrics", ours.with_the_broker / per_core,
              "x", false, 0});
  return {};
}

}  // namespace

Status MeasureIngest(const std::string& dir, Report& report) {
  const struct {
    Way way;
    const char* name;
    double limit;
  } ways[] = {{Way::kStream, "ingest_native_stream_samples_per_core_s", 3e6},
              {Way::kBatch, "ingest_native_batch_samples_per_core_s", 1.5e6},
              {Way::kOtlp, "ingest_otlp_samples_per_core_s", 1e6},
              {Way::kRemoteWrite, "ingest_remote_write_samples_per_core_s", 1e6}};
  for (const auto& [way, name, limit] : ways) {
    const Result<Rates> rates = Measure(dir, way, name);
    if (!rates.ok()) return rates.error();
    report.Add({name, rates->per_core, "/core/s", false, limit});
    if (way != Way::kRemoteWrite) continue;
    if (Status s = CompareWithVictoriaMetrics(dir, *rates, report); !s.ok()) return s;
  }
  return {};
}

}  // namespace liveops::bench
