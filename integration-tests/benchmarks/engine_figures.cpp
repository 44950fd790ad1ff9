#include "integration-tests/benchmarks/engine_figures.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <sstream>

#include "deploy/local/stack/process.h"

namespace liveops::bench {

Status MeasureEngine(const std::string& dir, Report& report) {
  const std::string figures = dir + "/engine-figures";
  std::error_code ignored;
  std::filesystem::create_directories(dir, ignored);
  std::filesystem::remove(figures, ignored);
  std::fputs("  bench  the rule engine, in process\n", stderr);
  stack::ProcessSpec engine;
  engine.name = "engine";
  engine.argv = {
      (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "liveops-engine-bench")
          .string(),
      figures};
  auto outcome = stack::RunToEnd(engine, Duration(600'000));
  if (!outcome.ok()) return outcome.error();
  if (!outcome->status.clean()) {
    return InternalError("liveops-engine-bench failed (" + outcome->status.ToString() + "):\n" +
                         outcome->out + outcome->err);
  }
  auto text = stack::ReadFile(figures);
  if (!text.ok()) return text.error();
  std::istringstream lines(*text);
  Figure figure;
  for (std::string better;
       lines >> figure.name >> figure.value >> figure.unit >> better >> figure.limit;) {
    figure.lower_is_better = better == "lower";
    report.Add(figure);
  }
  return {};
}

}  // namespace liveops::bench
