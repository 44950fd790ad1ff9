#include "integration-tests/benchmarks/loaded.h"

#include <fmt/format.h>

#include <cstdio>
#include <thread>

#include "deploy/local/stack/usage.h"
#include "integration-tests/benchmarks/load.h"
#include "integration-tests/benchmarks/page_latency.h"

namespace liveops::bench {
namespace {

using std::chrono::seconds;

constexpr seconds kSettle{20};
constexpr seconds kMeasured{120};
constexpr seconds kFed{360};  // so that every window is full

struct Cores {
  double evaluator = 0;
  double broker = 0;
};

Result<Cores> MeasureCores(stack::Stack& stack) {
  const pid_t evaluator = stack.service(stack::Service::kRuleEvaluation).process().pid();
  const pid_t broker = stack.kafka().process().pid();
  const auto begin = std::chrono::steady_clock::now();
  const auto evaluator_before = stack::CpuSeconds(evaluator);
  const auto broker_before = stack::CpuSeconds(broker);
  std::this_thread::sleep_for(kMeasured);
  const auto evaluator_after = stack::CpuSeconds(evaluator);
  const auto broker_after = stack::CpuSeconds(broker);
  const double elapsed =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  for (const auto* figure : {&evaluator_before, &broker_before, &evaluator_after, &broker_after}) {
    if (!figure->ok()) return figure->error();
  }
  return Cores{(*evaluator_after - *evaluator_before) / elapsed,
               (*broker_after - *broker_before) / elapsed};
}

}  // namespace

Status MeasureLoaded(const std::string& dir, Report& report) {
  stack::StackOptions options = Unthrottled(dir);
  auto started = stack::Stack::Start(std::move(options));
  if (!started.ok()) return started.error();
  stack::Stack& stack = **started;
  const LoadOptions load;
  LoadSender sender(stack, load);
  Say("loaded: 20,000 samples a second, no rule");
  std::this_thread::sleep_for(kSettle);
  const auto without = MeasureCores(stack);
  if (!without.ok()) return without.error();
  if (Status s = ApplyPlans(stack, load); !s.ok()) return s;
  Say(fmt::format("loaded: {} rules, feeding their windows for {} s", load.services, kFed.count()));
  std::this_thread::sleep_for(kFed);
  const auto with = MeasureCores(stack);
  if (!with.ok()) return with.error();
  const auto rss = stack::PssMib(stack.service(stack::Service::kRuleEvaluation).process().pid());
  if (!rss.ok()) return rss.error();
  Say(fmt::format("loaded: evaluator {:.3f} cores with rules, {:.3f} without; broker {:.3f}",
                  with->evaluator, without->evaluator, with->broker));
  const auto latency = MeasurePageLatency(stack, {});
  if (!latency.ok()) return latency.error();
  Say(fmt::format("page latency under load: p50 {:.2f} ms, p99 {:.2f} ms", latency->p50_ms,
                  latency->p99_ms));
  if (Status s = sender.Stop(); !s.ok()) return s;
  if (Status s = CheckPages(stack); !s.ok()) return s;
  report.Add({"rules_cpu_cores", with->evaluator - without->evaluator, "cores", true, 0.03});
  report.Add({"evaluator_cpu_cores_loaded", with->evaluator, "cores", true, 0.06});
  report.Add({"evaluator_rss_mib_loaded", *rss, "MiB", true, 150});
  report.Add({"broker_cpu_cores_loaded", with->broker, "cores", true, 0});
  report.Add({"page_latency_loaded_p50_ms", latency->p50_ms, "ms", true, 4});
  report.Add({"page_latency_loaded_p99_ms", latency->p99_ms, "ms", true, 20});
  return {};
}

}  // namespace liveops::bench
