#include "integration-tests/benchmarks/bare_hops.h"

#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "common/kafka/kafka.h"
#include "integration-tests/benchmarks/report.h"

namespace liveops::bench {
namespace {

constexpr const char* kTopic = "liveops-bench.hops";
constexpr int kHops = 3;

std::int64_t SteadyNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Reads one partition and hands each record on.
struct Hop {
  std::unique_ptr<kafka::AssignedConsumer> consumer;
  std::unique_ptr<kafka::Producer> producer;  // into the next partition; null at the last
};

}  // namespace

Result<Latency> MeasureBareHops(const std::string& brokers, const LatencyOptions& options) {
  kafka::ClientConfig config;
  config.brokers = brokers;
  config.client_id = "bare-hops";
  auto topics =
      kafka::EnsureTopics(config, {{kTopic, kHops, {{"message.timestamp.type", "LogAppendTime"}}}},
                          1, Duration(20'000));
  if (!topics.ok()) return topics.error();
  auto first = kafka::Producer::Create(config);
  if (!first.ok()) return first.error();
  std::vector<Hop> hops(kHops);
  for (int i = 0; i < kHops; ++i) {
    auto consumer = kafka::AssignedConsumer::Create(config);
    if (!consumer.ok()) return consumer.error();
    hops[static_cast<std::size_t>(i)].consumer = std::move(*consumer);
    if (Status s =
            hops[static_cast<std::size_t>(i)].consumer->Assign({{kTopic, i, kafka::kOffsetEnd}});
        !s.ok()) {
      return s.error();
    }
    if (i + 1 == kHops) continue;
    auto producer = kafka::Producer::Create(config);
    if (!producer.ok()) return producer.error();
    hops[static_cast<std::size_t>(i)].producer = std::move(*producer);
  }
  std::vector<std::int64_t> written(static_cast<std::size_t>(options.alarms));
  std::vector<std::int64_t> read(static_cast<std::size_t>(options.alarms));
  std::atomic<int> arrived{0};
  std::atomic<bool> stop{false};
  const auto run = [&](std::size_t i) {
    while (!stop) {
      auto record = hops[i].consumer->Poll(Duration(100));
      if (!record.ok() || !*record) continue;
      if (hops[i].producer) {
        hops[i].producer->Produce(kTopic, static_cast<std::int32_t>(i) + 1, (*record)->key,
                                  (*record)->value, {}, {});
        continue;
      }
      const auto number = static_cast<std::size_t>(std::stoi((*record)->key));
      if (number >= read.size()) continue;
      read[number] = SteadyNs();
      ++arrived;
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kHops; ++i) threads.emplace_back(run, i);
  const std::string value(300, 'x');  // about what a record of the way weighs
  const auto begin = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  Status failed;
  for (int i = 0; i < options.alarms && failed.ok(); ++i) {
    std::this_thread::sleep_until(begin +
                                  std::chrono::microseconds(1'000'000LL * i / options.per_second));
    written[static_cast<std::size_t>(i)] = SteadyNs();
    auto done = (*first)->ProduceSync(kTopic, 0, std::to_string(i), value);
    if (!done.ok()) failed = done.error();
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (failed.ok() && arrived < options.alarms && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(Duration(20));
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  if (!failed.ok()) return failed.error();
  std::vector<double> samples;
  for (std::size_t i = static_cast<std::size_t>(options.discarded); i < read.size(); ++i) {
    if (read[i] == 0) return InternalError(fmt::format("record {} did not come within 10 s", i));
    samples.push_back(static_cast<double>(read[i] - written[i]) / 1e6);
  }
  return Latency{Percentile(samples, 0.5), Percentile(samples, 0.99), Percentile(samples, 1.0)};
}

}  // namespace liveops::bench
