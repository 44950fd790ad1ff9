// usage: liveops-bench [OUTPUT.json [PART]]    prints a table and writes the figures; exit 1 when
// something could not be measured. PART is "engine", "page latency", "idle", "demo", "ingest",
// "loaded", "scale" or "backtest"; all but the last three when left out.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <thread>

#include "deploy/local/stack/process.h"
#include "deploy/local/stack/stack.h"
#include "deploy/local/stack/usage.h"
#include "integration-tests/benchmarks/backtest.h"
#include "integration-tests/benchmarks/bare_hops.h"
#include "integration-tests/benchmarks/engine_figures.h"
#include "integration-tests/benchmarks/ingest.h"
#include "integration-tests/benchmarks/load.h"
#include "integration-tests/benchmarks/loaded.h"
#include "integration-tests/benchmarks/page_latency.h"
#include "integration-tests/benchmarks/report.h"
#include "integration-tests/benchmarks/scale.h"

namespace {

using namespace liveops;

constexpr int kRuns = 3;

using Started = std::pair<std::unique_ptr<stack::Stack>, double>;  // and how many seconds it took

// The sandbox as it is: also the broker's settings are those that `make run` uses.
Result<Started> Start(const std::string& dir) {
  auto options = bench::Unthrottled(dir);
  const auto begin = std::chrono::steady_clock::now();
  auto made = stack::Stack::Start(std::move(options));
  if (!made.ok()) return made.error();
  return Started{std::move(*made),
                 std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()};
}

Status PageLatency(const std::string& dir, bench::Report& report) {
  std::vector<double> p50;
  std::vector<double> p99;
  std::vector<double> bare;
  for (int run = 1; run <= kRuns; ++run) {
    auto started = Start(dir);
    if (!started.ok()) return started.error();
    auto latency = bench::MeasurePageLatency(*started->first, {});
    if (!latency.ok()) return latency.error();
    // On the same broker, so that the difference is what the services add.
    auto hops = bench::MeasureBareHops(started->first->kafka().address(), {});
    if (!hops.ok()) return hops.error();
    bare.push_back(hops->p50_ms);
    bench::Say(fmt::format(
        "page latency, run {} of {}: p50 {:.2f} ms, p99 {:.2f} ms, max {:.2f} ms; the "
        "bare hops: p50 {:.2f} ms, p99 {:.2f} ms",
        run, kRuns, latency->p50_ms, latency->p99_ms, latency->max_ms, hops->p50_ms, hops->p99_ms));
    p50.push_back(latency->p50_ms);
    p99.push_back(latency->p99_ms);
  }
  report.Add({"page_latency_p50_ms", bench::Median(p50), "ms", true, 5});
  report.Add({"page_latency_p99_ms", bench::Median(p99), "ms", true, 25});
  report.Add({"bare_hops_p50_ms", bench::Median(bare), "ms", true, 0});
  report.Add(
      {"page_latency_over_bare_hops", bench::Median(p50) / bench::Median(bare), "x", true, 0});
  return {};
}

Status Idle(const std::string& dir, bench::Report& report) {
  auto started = Start(dir);
  if (!started.ok()) return started.error();
  stack::Stack& stack = *started->first;
  const std::string plan = std::string(LIVEOPS_SOURCE_DIR) + "/deploy/plans/backend-api.yaml";
  auto applied = stack.Ctl("operator-1", {"plan", "apply", plan});
  if (!applied.ok()) return applied.error();
  std::this_thread::sleep_for(std::chrono::seconds(5));
  std::vector<pid_t> ours{stack.redis().process().pid()};
  for (stack::ServiceProcess* service : stack.services()) ours.push_back(service->process().pid());
  const auto used = [&]() -> Result<std::pair<double, double>> {
    double sum = 0;
    for (const pid_t pid : ours) {
      auto seconds = stack::CpuSeconds(pid);
      if (!seconds.ok()) return seconds.error();
      sum += *seconds;
    }
    auto broker = stack::CpuSeconds(stack.kafka().process().pid());
    if (!broker.ok()) return broker.error();
    return std::pair(sum, *broker);
  };
  bench::Say("idle for 60 s");
  auto before = used();
  if (!before.ok()) return before.error();
  const auto begin = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::seconds(60));
  auto after = used();
  if (!after.ok()) return after.error();
  const double elapsed =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  report.Add({"idle_cpu_cores", (after->first - before->first) / elapsed, "cores", true, 0.05});
  report.Add({"broker_idle_cores", (after->second - before->second) / elapsed, "cores", true, 0});
  return {};
}

// The demo, run as a user runs it; it writes what the services weigh at its end.
Status Demo(const std::string& dir, bench::Report& report) {
  const std::string figures = dir + "/demo-figures";
  bench::Say("the demo");
  stack::ProcessSpec demo;
  demo.name = "demo";
  demo.argv = {
      (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "liveops-sandbox").string(),
      "demo", "--figures", figures};
  auto outcome = stack::RunToEnd(demo, Duration(240'000));
  if (!outcome.ok()) return outcome.error();
  if (!outcome->status.clean()) {
    return InternalError("the demo failed (" + outcome->status.ToString() + "):\n" + outcome->out +
                         outcome->err);
  }
  auto text = stack::ReadFile(figures);
  if (!text.ok()) return text.error();
  double rss = 0;
  double start = 0;
  if (std::sscanf(text->c_str(), "services_rss_mib %lf sandbox_start_s %lf", &rss, &start) != 2) {
    return InternalError("the demo wrote no figures: " + *text);
  }
  report.Add({"services_rss_mib", rss, "MiB", true, 150});
  report.Add({"sandbox_start_s", start, "s", true, 0});
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string output = argc > 1 ? argv[1] : "build/bench.json";
  const std::string dir = std::filesystem::absolute(output).parent_path() / "bench-data";
  std::error_code ignored;
  std::filesystem::create_directories(dir, ignored);
  bench::Report report;
  bool all = true;
  const std::pair<const char*, Status (*)(const std::string&, bench::Report&)> parts[] = {
      {"engine", &bench::MeasureEngine},
      {"page latency", &PageLatency},
      {"idle", &Idle},
      {"demo", &Demo},
      {"ingest", &bench::MeasureIngest},
      {"loaded", &bench::MeasureLoaded},
      {"scale", &bench::MeasureScale},
      {"backtest", &bench::MeasureBacktest}};
  for (const auto& [name, measure] : parts) {
    // These take many minutes: they are asked for by name.
    const bool long_one = std::string(name) == "loaded" || std::string(name) == "scale" ||
                          std::string(name) == "backtest";
    if (argc > 2 ? std::string(argv[2]) != name : long_one) continue;
    // A stack takes no folder that holds something else.
    const bool has_stack = std::string(name) != "demo" && std::string(name) != "engine";
    if (Status s = measure(dir + (has_stack ? "/stack" : ""), report); !s.ok()) {
      bench::Say(fmt::format("{}: {}", name, s.error().message));
      all = false;
    }
  }
  std::fputs(report.Table().c_str(), stdout);
  if (Status s = stack::WriteFile(output, report.Json()); !s.ok()) {
    bench::Say(s.error().message);
    all = false;
  }
  return all ? 0 : 1;
}
