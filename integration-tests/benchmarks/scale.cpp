#include "integration-tests/benchmarks/scale.h"

#include <fmt/format.h>

#include <cstdio>
#include <thread>

#include "deploy/local/stack/usage.h"
#include "integration-tests/benchmarks/load.h"
#include "integration-tests/benchmarks/page_latency.h"

namespace liveops::bench {
namespace {

using std::chrono::seconds;

constexpr int kServices = 10'000;
constexpr seconds kSettle{60};  // every series is known, and snapshots have been taken
constexpr int kSeconds = 300;
constexpr int kAlarmsPerSecond = 15;  // the sink keeps the last 5,000 requests

double SecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

Status MeasureScale(const std::string& dir, Report& report) {
  stack::StackOptions options = Unthrottled(dir);
  options.redis_memory_mib = 4096;  // the snapshots of a million series
  auto started = stack::Stack::Start(std::move(options));
  if (!started.ok()) return started.error();
  stack::Stack& stack = **started;
  LoadOptions load;
  load.services = kServices;
  load.into_the_log = true;
  const auto begin = std::chrono::steady_clock::now();
  if (Status s = ApplyPlans(stack, load); !s.ok()) return s;
  Say(fmt::format("scale: {} plans applied in {:.0f} s; a million series, {} s to settle",
                  kServices, SecondsSince(begin), kSettle.count()));
  LoadSender sender(stack, load);
  std::this_thread::sleep_for(kSettle);

  const pid_t evaluator = stack.service(stack::Service::kRuleEvaluation).process().pid();
  const auto from = std::chrono::steady_clock::now();
  const std::uint64_t sent = sender.sent();
  const auto before = stack::CpuSeconds(evaluator);
  if (!before.ok()) return before.error();
  const auto latency = MeasurePageLatency(stack, {.alarms = kSeconds * kAlarmsPerSecond,
                                                  .per_second = kAlarmsPerSecond,
                                                  .discarded = kAlarmsPerSecond});
  const auto after = stack::CpuSeconds(evaluator);
  const double took = SecondsSince(from);
  const double rate = static_cast<double>(sender.sent() - sent) / took;
  const auto rss = stack::PssMib(evaluator);
  if (!latency.ok()) return latency.error();
  if (!after.ok()) return after.error();
  if (!rss.ok()) return rss.error();
  if (Status s = sender.Stop(); !s.ok()) return s;
  if (Status s = CheckPages(stack); !s.ok()) return s;
  const double cores = (*after - *before) / took;
  Say(fmt::format(
      "scale: {:.0f} samples a second for {:.0f} s; evaluator {:.3f} cores, {:.0f} MiB; "
      "from sample to page p50 {:.1f} ms, p99 {:.1f} ms, max {:.0f} ms",
      rate, took, cores, *rss, latency->p50_ms, latency->p99_ms, latency->max_ms));
  report.Add({"scale_1m_samples_per_s", rate, "/s", false, 0});
  report.Add({"scale_1m_lag_max_s", latency->max_ms / 1e3, "s", true, 2});
  report.Add({"scale_1m_rss_mib", *rss, "MiB", true, 4096});
  report.Add({"scale_1m_cpu_cores", cores, "cores", true, 0});
  return {};
}

}  // namespace liveops::bench
