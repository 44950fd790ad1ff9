#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "services/rule-evaluation/engine/shard.h"
#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine::testing {

// For tests: the shards of service "shop", the home first. What the others tell reaches the home at
// once, unless it is held back.
class SpreadLog : public ::testing::Test {
 protected:
  static constexpr std::int32_t kPartitions = 8;
  static constexpr std::string_view kService = "shop";

  struct Node {
    explicit Node(const ShardLimits& given) : limits(given), shard(TimeMap{}, given) {}
    ShardLimits limits;
    Shard shard;
    std::int64_t offset = 0;
    bool held = false;
    std::deque<Readings> told;  // and not written yet
  };

  void Make(int shards, ShardLimits limits = {}) {
    for (int i = 0; i < shards; ++i) {
      limits.partition = PartitionAt(i);
      limits.partitions = kPartitions;
      nodes_.emplace_back(limits);
    }
  }
  static std::int32_t PartitionAt(int i) {
    return (PartitionOf(kService, kPartitions) + i) % kPartitions;
  }

  template <typename Body>
  void Apply(Node& node, std::int64_t at, Body body) {
    RecordView record;
    record.offset = node.offset++;
    record.append_time = RealFromMs(kNine + at);
    record.body = body;
    std::vector<Readings> told;
    node.shard.Apply(record, out_, told);
    for (Readings& readings : told) node.told.push_back(std::move(readings));
  }
  void Write(std::int64_t at) {
    for (Node& node : nodes_) {
      while (!node.held && !node.told.empty()) {
        const Readings readings = std::move(node.told.front());
        node.told.pop_front();
        Apply(nodes_[0], at, ViewOf(readings));
      }
    }
  }
  // `refused`: it says that it refused points of anybody.
  void Tick(Node& node, std::int64_t at, bool refused = false) {
    TickView tick;
    tick.instance = "i";
    tick.session = 1;
    tick.steady_ms = at;
    tick.refused_any_service = refused;
    Apply(node, at, tick);
  }
  // Ticks to all, from the last time until `to`.
  void Until(std::int64_t to) {
    for (; at_ <= to; at_ += 250) {
      for (Node& node : nodes_) Tick(node, at_);
      Write(at_);
    }
  }
  void Plan(std::int64_t at, std::uint64_t version, const std::string& text,
            std::int64_t spread_from = INT64_MIN) {
    for (Node& node : nodes_) {
      PlanActivationView plan;
      plan.service = kService;
      plan.version = version;
      plan.text = text;
      if (spread_from != INT64_MIN) plan.spread_from = RealFromMs(kNine + spread_from);
      Apply(node, at, plan);
    }
    Write(at);
  }
  // One point of a series, to a shard of the caller's choice: which one it is the shards do not
  // ask. Of so many ms before its record.
  void Point(int node, std::int64_t at, SeriesKind kind, std::string_view metric,
             std::string_view pod, double value, std::string_view unit = "%",
             std::int64_t late = 0) {
    Labels of_pod;
    of_pod.Set("pod", pod);
    const std::string labels = of_pod.Encode();
    const SeriesView series{{1, Xxh64(labels + std::string(metric))}, kind, metric, unit, labels};
    const std::uint32_t index = 0;
    const std::int64_t delta = 0;
    BatchView batch;
    batch.service = kService;
    batch.base_time_ms = kNine + at - late;
    batch.series = {&series, 1};
    batch.point_series = {&index, 1};
    batch.point_time_delta_ms = {&delta, 1};
    batch.point_value = {&value, 1};
    Apply(nodes_[static_cast<std::size_t>(node)], at, batch);
    Write(at);
  }
  // A record of a histogram without observations.
  void Histogram(int node, std::int64_t at, std::string_view metric, std::string_view pod,
                 std::string_view unit) {
    Labels of_pod;
    of_pod.Set("pod", pod);
    const std::string labels = of_pod.Encode();
    const SeriesView series{{1, Xxh64(labels + std::string(metric))},
                            SeriesKind::kHistogramDelta,
                            metric,
                            unit,
                            labels};
    const std::vector<double> bounds{100};
    const std::vector<std::uint64_t> counts{0, 0};
    HistogramView histogram;
    histogram.bounds = bounds;
    histogram.bucket_counts = counts;
    BatchView batch;
    batch.service = kService;
    batch.base_time_ms = kNine + at;
    batch.series = {&series, 1};
    batch.histograms = {&histogram, 1};
    Apply(nodes_[static_cast<std::size_t>(node)], at, batch);
    Write(at);
  }
  void Gauge(int node, std::int64_t at, std::string_view pod, double value) {
    Point(node, at, SeriesKind::kGauge, "cpu_utilization", pod, value);
  }
  std::vector<Transition> Take() { return std::exchange(out_, {}); }
  const AlarmView* Find(std::string_view id) {
    views_ = nodes_[0].shard.Alarms();
    for (const AlarmView& v : views_) {
      if (v.alarm_id == id) return &v;
    }
    return nullptr;
  }

  std::deque<Node> nodes_;
  std::int64_t at_ = 0;
  std::vector<Transition> out_;
  std::vector<AlarmView> views_;
};

// A plan that is spread over so many.
inline std::string SpreadPlan(int spread, std::string_view alarms) {
  return fmt::format("spread: {}\n", spread) + PlanOf(alarms);
}

}  // namespace liveops::engine::testing
