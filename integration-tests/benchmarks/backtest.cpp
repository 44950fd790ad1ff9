#include "integration-tests/benchmarks/backtest.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

#include "common/base/hash.h"
#include "common/base/labels.h"
#include "common/kafka/kafka.h"
#include "common/runtime/topics.h"
#include "deploy/local/stack/usage.h"
#include "integration-tests/benchmarks/load.h"
#include "liveops/v1/metrics.pb.h"

namespace liveops::bench {
namespace {

using std::chrono::milliseconds;

constexpr int kSeconds = 60;
constexpr int kBatches = 10;  // of a partition, each once a second
constexpr int kSeries = 625;  // of a batch
constexpr const char* kService = "wide";

constexpr const char* kPlan = R"(service: wide
spread: 16
owners: {on-call: {slack: "#oncall"}}
alarms:
  - {name: busy, when: rate(http_requests_total) over 10s > 1, severity: high, owner: on-call}
  - {name: hot, when: max(cpu) by zone over 10s > 90 for 10s, severity: high, owner: on-call}
)";

v1::ShardRecord BatchOf(int partition, int number) {
  v1::ShardRecord record;
  record.mutable_source()->set_emitter("load");
  record.mutable_source()->set_session(1);
  v1::MetricBatch& batch = *record.mutable_batch();
  batch.set_service(kService);
  batch.set_protocol(v1::PROTOCOL_NATIVE);
  for (const char* word : {"http_requests_total", "1", "cpu", "%"}) batch.add_strings(word);
  for (int i = 0; i < kSeries; ++i) {
    const bool counter = i % 2 == 0;
    const std::string labels =
        Labels({{"instance", fmt::format("10.{}.{}.{}:8080", partition, number, i / 2)},
                {"zone", fmt::format("z{}", i / 2 % 8)}})
            .Encode();
    v1::SeriesEntry& series = *batch.add_series();
    series.set_kind(counter ? v1::SERIES_KIND_COUNTER_CUMULATIVE : v1::SERIES_KIND_GAUGE);
    series.set_metric(counter ? 0 : 2);
    series.set_unit(counter ? 1 : 3);
    series.set_labels(labels);
    series.set_fingerprint_hi(counter ? 1 : 2);
    series.set_fingerprint_lo(Xxh64(labels));
    batch.add_point_series(static_cast<std::uint32_t>(i));
    batch.add_point_time_delta_ms(0);
    batch.add_point_value(0);
  }
  return record;
}

// As ingest would write them, a second's batches evenly over it. Gives how many samples there are.
Result<std::uint64_t> WriteLog(stack::Stack& stack) {
  kafka::Producer::Options options;
  options.gather = Duration(20);
  options.queue_bytes_max = 256u << 20;
  auto producer = kafka::Producer::Create({stack.kafka().address(), "load", {}}, options);
  if (!producer.ok()) return producer.error();
  const std::int32_t partitions = stack.options().partitions;
  std::vector<v1::ShardRecord> records;
  for (int number = 0; number < kBatches; ++number) {
    for (std::int32_t p = 0; p < partitions; ++p) records.push_back(BatchOf(p, number));
  }
  std::atomic<std::uint64_t> lost{0};
  std::uint64_t samples = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int round = 0; round < kSeconds * kBatches; ++round) {
    std::this_thread::sleep_until(begin + round * milliseconds(1000 / kBatches));
    for (std::int32_t p = 0; p < partitions; ++p) {
      v1::ShardRecord& record =
          records[static_cast<std::size_t>(round % kBatches * partitions + p)];
      record.mutable_source()->set_sequence(static_cast<std::uint64_t>(round) + 1);
      v1::MetricBatch& batch = *record.mutable_batch();
      batch.set_base_time_ms(ToMs(stack.time_map().ToDomain(WallClockNow())));
      for (int i = 0; i < kSeries; ++i) {
        batch.set_point_value(i, i % 2 == 0 ? batch.point_value(i) + 10 : 40 + (round + i) % 20);
      }
      (*producer)->Produce(runtime::topic::kMetrics, p, kService, record.SerializeAsString(), {},
                           [&](const Result<kafka::Delivery>& done) { lost += done.ok() ? 0 : 1; });
      samples += kSeries;
    }
  }
  if (!(*producer)->Flush(Duration(30'000)) || lost > 0) {
    return InternalError("the broker did not take the whole log");
  }
  return samples;
}

struct Played {
  double seconds = 0;
  double cpu = 0;  // seconds
  double rss_mib = 0;
  std::uint64_t points = 0;
};

// As a person would.
Result<Played> Play(stack::Stack& stack, const std::string& dir,
                    const std::vector<std::string>& more) {
  stack::ProcessSpec spec;
  spec.name = "backtest";
  spec.log_file = dir + "/backtest.out";
  const std::string plan = dir + "/wide.yaml";
  if (Status s = stack::WriteFile(plan, kPlan); !s.ok()) return s.error();
  std::filesystem::remove(spec.log_file);
  spec.argv = {
      (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "liveopsctl").string(),
      "plan",
      "backtest",
      plan,
      "--kafka",
      stack.kafka().address(),
      "--json"};
  spec.argv.insert(spec.argv.end(), more.begin(), more.end());
  Played played;
  const auto begin = std::chrono::steady_clock::now();
  auto child = stack::ChildProcess::Spawn(spec);
  if (!child.ok()) return child.error();
  std::optional<stack::ExitStatus> status;
  while (!status) {
    if (const auto rss = stack::PssMib((*child)->pid()); rss.ok())
      played.rss_mib = std::max(played.rss_mib, *rss);
    if (const auto cpu = stack::CpuSeconds((*child)->pid()); cpu.ok()) played.cpu = *cpu;
    status = (*child)->Wait(Duration(50));
  }
  played.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const auto out = stack::ReadFile(spec.log_file);
  if (!out.ok()) return out.error();
  const std::size_t at = out->find("\"points\":");
  if (!status->clean() || at == std::string::npos) {
    return InternalError("the backtest failed (" + status->ToString() +
                         "): " + out->substr(0, 500));
  }
  played.points = std::strtoull(out->c_str() + at + 9, nullptr, 10);
  return played;
}

}  // namespace

Status MeasureBacktest(const std::string& dir, Report& report) {
  auto started = stack::Stack::Start(Unthrottled(dir));
  if (!started.ok()) return started.error();
  stack::Stack& stack = **started;
  Say(fmt::format("backtest: a log of {} s on {} partitions", kSeconds,
                  stack.options().partitions));
  const Instant middle = stack.time_map().ToDomain(WallClockNow()) + Duration(kSeconds * 500);
  const auto samples = WriteLog(stack);
  if (!samples.ok()) return samples.error();
  const auto whole = Play(stack, dir, {});
  if (!whole.ok()) return whole.error();
  const auto half = Play(stack, dir, {"--to", FormatUtc(ToMs(middle))});
  if (!half.ok()) return half.error();
  if (whole->points != *samples) {
    return InternalError(fmt::format("of {} samples the backtest saw {}", *samples, whole->points));
  }
  const auto points = static_cast<double>(whole->points);
  Say(fmt::format(
      "backtest: {} samples in {:.1f} s, {:.1f} s of CPU, {:.0f} MiB; the older half, {} "
      "samples, in {:.1f} s, {:.0f} MiB",
      whole->points, whole->seconds, whole->cpu, whole->rss_mib, half->points, half->seconds,
      half->rss_mib));
  report.Add({"backtest_16_samples_per_core_s", points / whole->cpu, "/s", false, 0});
  report.Add({"backtest_16_log_s_per_s", kSeconds / whole->seconds, "x", false, 0});
  report.Add({"backtest_16_rss_mib", whole->rss_mib, "MiB", true, 0});
  report.Add({"backtest_16_rss_half_mib", half->rss_mib, "MiB", true, 0});
  return {};
}

}  // namespace liveops::bench
