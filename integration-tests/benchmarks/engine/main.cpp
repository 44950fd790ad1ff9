// usage: liveops-engine-bench [FIGURES] [--benchmark_filter=REGEX …]
// What a sample costs on its way through decoder, series table, windows and judgement, by the CPU
// time of the one thread that does it. Prints a table; writes lines "name value unit better limit"
// to FIGURES. Exit 1 when a run is void: a record unread, a sample unused, an alarm beyond svc-0.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "integration-tests/benchmarks/engine/engine_run.h"
#include "integration-tests/benchmarks/report.h"

namespace {

using namespace liveops;
using bench::EngineRun;
using bench::PopulationOptions;

constexpr Duration kWarm{360'000};
constexpr int kSteps = 12;  // a minute of the population's time

bench::Report report;
bool all_valid = true;

void Note(bench::Figure figure) { report.Add(std::move(figure)); }

// 0 while it was not measured.
double Noted(const std::string& name) {
  for (const bench::Figure& f : report.figures()) {
    if (f.name == name) return f.value;
  }
  return 0;
}

void Judge(benchmark::State& state, const EngineRun& run, bool fires) {
  std::string fault = run.fault();
  if (fault.empty() && fires && run.fired() == 0) fault = "svc-0 did not fire";
  if (fault.empty()) return;
  all_valid = false;
  state.SkipWithError(fault.c_str());
}

// CPU nanoseconds a sample, all steps of the run together.
double CostOf(benchmark::State& state, EngineRun& run) {
  double seconds = 0;
  const std::int64_t before = run.points_fed();
  for (auto _ : state) {
    run.Prepare();
    const double took = run.Feed();
    state.SetIterationTime(took);
    seconds += took;
  }
  const auto points = static_cast<double>(run.points_fed() - before);
  state.counters["ns_per_sample"] = 1e9 * seconds / points;
  state.counters["samples_per_core_s"] = points / seconds;
  return 1e9 * seconds / points;
}

std::size_t Allocated() { return mallinfo2().uordblks; }

void Engine(benchmark::State& state) {
  const std::size_t before = Allocated();
  EngineRun run({});
  const std::size_t population = Allocated() - before;
  run.Warm(kWarm);
  run.DropRecords();
  const auto bytes = static_cast<double>(Allocated() - before - population);
  const double cost = CostOf(state, run);
  Judge(state, run, true);
  Note({"engine_samples_per_core_s", 1e9 / cost, "/s", false, 5e6});
  Note({"engine_ns_per_sample", cost, "ns", true, 200});
  Note({"bytes_per_series", bytes / static_cast<double>(run.series()), "B", true, 0});
}

// Nobody watches: what remains is the decoder and the series table.
void Unwatched(benchmark::State& state) {
  PopulationOptions options;
  options.ruled_services = 0;
  EngineRun run(options);
  run.Warm(kWarm);
  const double cost = CostOf(state, run);
  Judge(state, run, false);
  Note({"unwatched_ns_per_sample", cost, "ns", true, 0});
}

void Decode(benchmark::State& state) {
  EngineRun run({});
  double seconds = 0;
  for (auto _ : state) {
    run.Prepare();
    const double took = run.DecodeOnly();
    state.SetIterationTime(took);
    seconds += took;
  }
  Judge(state, run, false);
  const double points = static_cast<double>(state.iterations() * run.series());
  state.counters["samples_per_core_s"] = points / seconds;
  Note({"decode_samples_per_core_s", points / seconds, "/s", false, 0});
}

// How the cost of a sample grows. Each line is compared with one that differs from it in one thing.
// `ratio` names that comparison, `base` what it is compared with.
void Growth(benchmark::State& state, const std::string& name, const PopulationOptions& options,
            Duration warm, const std::string& ratio, const std::string& base) {
  EngineRun run(options);
  run.Warm(warm);
  const double cost = CostOf(state, run);
  Judge(state, run, true);
  Note({name, cost, "ns", true, 0});
  if (Noted(base) > 0) Note({ratio, cost / Noted(base), "x", true, 0});
}

PopulationOptions TenTimesTheSeries() {
  PopulationOptions options;
  options.instances = 50;
  return options;
}

PopulationOptions TenTimesTheRules() {
  PopulationOptions options;
  options.rules_per_service = 10;
  return options;
}

// Few enough services that hours of them can be fed: a window has to be full to cost what it does.
PopulationOptions Windows(Duration window) {
  PopulationOptions options;
  options.services = options.ruled_services = 50;
  options.ratio_window = options.quantile_window = options.gauge_window = window;
  return options;
}

// Cuts a snapshot as the owner of a shard does, slice by slice; gives the longest that the thread
// was kept from its records.
double LongestPause(engine::Shard& shard) {
  double begin = bench::ThreadCpuSeconds();
  shard.BeginCut();
  double longest = 0;
  for (bool going = true; going;) {
    const double end = bench::ThreadCpuSeconds();
    longest = std::max(longest, end - begin);
    begin = end;
    going = shard.ContinueCut(engine::Shard::kSliceBytes) == engine::Shard::CutState::kGoing;
  }
  return std::max(longest, bench::ThreadCpuSeconds() - begin);
}

void Snapshot(benchmark::State& state) {
  EngineRun run({});
  run.Warm(kWarm);
  double pause_max = 0;
  double restored_in = 0;
  for (auto _ : state) {
    pause_max = std::max(pause_max, LongestPause(run.shard()));
    const std::vector<std::string> sections = run.shard().TakeCut();
    const std::vector<std::string_view> views(sections.begin(), sections.end());
    const double begin = bench::ThreadCpuSeconds();
    auto restored = engine::Shard::Restore(views, TimeMap{}, bench::kLimits);
    const double took = bench::ThreadCpuSeconds() - begin;
    if (!restored.ok()) {
      all_valid = false;
      state.SkipWithError(restored.error().message.c_str());
      return;
    }
    restored_in += took;
    state.SetIterationTime(took);
  }
  const double hundred_thousands = static_cast<double>(run.series()) / 1e5;
  Note({"snapshot_pause_max_ms", 1e3 * pause_max, "ms", true, 1});
  Note({"restore_s_per_100k_series",
        restored_in / static_cast<double>(state.iterations()) / hundred_thousands, "s", true, 0});
}

// What the windows of a little more than an hour cost that are rolled up: all of their panes are
// full by then, as they are of longer ones.
void Rollups(benchmark::State& state) {
  EngineRun run(Windows(Duration(3'660'000)));
  run.Warm(Duration(3'590'000));
  EngineRun::Rolled rolled;
  for (auto _ : state) {
    rolled = run.FeedUntilRolledUp();
    state.SetIterationTime(rolled.longest_s);
  }
  Judge(state, run, true);
  const auto series = static_cast<double>(run.series());
  constexpr double kRoundS = static_cast<double>(engine::kRoundMs) / 1000;
  state.counters["parts"] = rolled.parts;
  state.counters["series"] = series;
  Note({"rollup_bytes_per_s", rolled.bytes / kRoundS, "B/s", true, 0});
  Note({"rollup_bytes_per_series_and_round", rolled.bytes / series, "B", true, 0});
  Note({"rollup_pause_max_ms", 1e3 * rolled.longest_s, "ms", true, 0});
}

void Register() {
  const auto add = [](const char* name, auto f, int steps = kSteps) {
    benchmark::RegisterBenchmark(name, f)->UseManualTime()->Iterations(steps)->Unit(
        benchmark::kMillisecond);
  };
  const auto grows = [&](const char* name, PopulationOptions options, Duration warm,
                         const char* ratio, const char* base, int steps) {
    const std::string cost = std::string(name) + "_ns_per_sample";
    add(
        name, [=](benchmark::State& state) { Growth(state, cost, options, warm, ratio, base); },
        steps);
  };
  constexpr int kManySteps = 120;  // of 50 services: ten minutes, so that every pane length ends
  add("decode", Decode);
  add("unwatched", Unwatched);
  add("engine", Engine);
  add("snapshot", Snapshot, 3);
  add("rollups", Rollups, 1);
  const char* const base = "engine_ns_per_sample";
  grows("series_x10", TenTimesTheSeries(), kWarm, "series_x10_ratio", base, 4);
  grows("rules_x10", TenTimesTheRules(), kWarm, "rules_x10_ratio", base, kSteps);
  grows("window_1m", Windows(Duration(60'000)), kWarm, "", "", kManySteps);
  grows("window_1h", Windows(Duration(3'600'000)), Duration(3'900'000), "window_1h_over_1m_ratio",
        "window_1m_ns_per_sample", kManySteps);
}

bool Write(const char* path) {
  std::FILE* const out = std::fopen(path, "w");
  if (out == nullptr) return false;
  for (const bench::Figure& f : report.figures()) {
    std::fprintf(out, "%s %.9g %s %s %.9g\n", f.name.c_str(), f.value, f.unit.c_str(),
                 f.lower_is_better ? "lower" : "higher", f.limit);
  }
  return std::fclose(out) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  Register();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  std::printf("\n%s", report.Table().c_str());
  if (argc > 1 && !Write(argv[1])) {
    std::fprintf(stderr, "cannot write %s\n", argv[1]);
    return 1;
  }
  return all_valid ? 0 : 1;
}
