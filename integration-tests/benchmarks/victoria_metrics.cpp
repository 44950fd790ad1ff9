#include "integration-tests/benchmarks/victoria_metrics.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "deploy/local/stack/ports.h"

namespace liveops::bench {
namespace {

constexpr const char* kProgram = "/usr/bin/victoria-metrics";
constexpr Duration kAnswersWithin{20'000};

}  // namespace

Result<std::unique_ptr<VictoriaMetrics>> VictoriaMetrics::Start(const std::string& dir) {
  if (access(kProgram, X_OK) != 0) {
    return NotFoundError("victoria-metrics is not installed (deploy/local/setup.sh bench)");
  }
  std::error_code ignored;
  std::filesystem::remove_all(dir, ignored);
  std::filesystem::create_directories(dir, ignored);
  Result<std::vector<int>> ports = stack::FreePorts(1);
  if (!ports.ok()) return ports.error();
  const int port = ports->front();
  stack::ProcessSpec spec;
  spec.name = "victoria-metrics";
  spec.argv = {kProgram, "-httpListenAddr=127.0.0.1:" + std::to_string(port),
               "-storageDataPath=" + dir + "/data"};
  spec.log_file = dir + "/log";
  Result<std::unique_ptr<stack::ChildProcess>> process = stack::ChildProcess::Spawn(spec);
  if (!process.ok()) return process.error();
  std::unique_ptr<VictoriaMetrics> made(new VictoriaMetrics(port, std::move(*process)));
  const SteadyTime deadline = std::chrono::steady_clock::now() + kAnswersWithin;
  while (std::chrono::steady_clock::now() < deadline && made->process().running()) {
    if (stack::PortAnswers(port)) return made;
    std::this_thread::sleep_for(Duration(20));
  }
  return UnavailableError("victoria-metrics does not answer:\n" + stack::TailOf(spec.log_file, 15));
}

}  // namespace liveops::bench
