#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "services/rule-evaluation/engine/shard.h"
#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine::testing {

// For tests: a shard with a log of its own.
class ShardLog : public ::testing::Test {
 protected:
  std::vector<Transition> Tick(std::int64_t at) {
    TickView tick;
    tick.instance = "i";
    tick.session = 1;
    tick.steady_ms = at;
    return Apply(at, tick);
  }
  // Ticks from the last time until `to`.
  std::vector<Transition> Until(std::int64_t to) {
    std::vector<Transition> all;
    for (; at_ <= to; at_ += 250) {
      for (Transition& t : Tick(at_)) all.push_back(std::move(t));
    }
    return all;
  }
  std::vector<Transition> Plan(std::int64_t at, std::uint64_t version, const std::string& text) {
    PlanActivationView plan;
    plan.service = "shop";
    plan.version = version;
    plan.text = text;
    return Apply(at, plan);
  }
  std::vector<Transition> Gauge(std::int64_t at, std::string_view pod, double value,
                                std::string_view metric = "cpu_utilization") {
    Labels of_pod;
    of_pod.Set("pod", pod);
    const std::string labels = of_pod.Encode();
    const SeriesView series{{1, Xxh64(pod)}, SeriesKind::kGauge, metric, "%", labels};
    const std::uint32_t index = 0;
    const std::int64_t delta = 0;
    BatchView batch;
    batch.service = "shop";
    batch.base_time_ms = kNine + at;
    batch.series = {&series, 1};
    batch.point_series = {&index, 1};
    batch.point_time_delta_ms = {&delta, 1};
    batch.point_value = {&value, 1};
    return Apply(at, batch);
  }
  template <typename Body>
  std::vector<Transition> Apply(std::int64_t at, Body body) {
    RecordView record;
    record.offset = offset_++;
    record.append_time = RealFromMs(kNine + at);
    record.source.emitter = "e";
    record.source.session = 1;
    record.source.sequence = static_cast<std::uint64_t>(offset_);
    record.body = body;
    std::vector<Transition> out;
    shard_.Apply(record, out);
    return out;
  }
  const AlarmView* Find(std::string_view id) {
    views_ = shard_.Alarms();
    for (const AlarmView& v : views_) {
      if (v.alarm_id == id) return &v;
    }
    return nullptr;
  }

  Shard shard_{TimeMap{}, ShardLimits{}};
  std::int64_t offset_ = 0;
  std::int64_t at_ = 0;
  std::vector<AlarmView> views_;
};

}  // namespace liveops::engine::testing
