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

// For tests: a shard with a log of its own. Times are domain ms since kNine.
class ShardLog : public ::testing::Test {
 protected:
  explicit ShardLog(const TimeMap& map = {}, const ShardLimits& limits = {})
      : map_(map), limits_(limits) {}
  // Of a log whose domain time runs so fast.
  static TimeMap AtSpeed(double speed) { return {RealFromMs(kNine), InstantFromMs(kNine), speed}; }

  std::vector<Transition> Tick(std::int64_t at, bool refused = false) {
    TickView tick;
    tick.instance = "i";
    tick.session = 1;
    tick.steady_ms = ToMs(map_.ToReal(InstantFromMs(kNine + at))) - kNine;
    tick.refused_any_service = refused;
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
  struct Said {
    std::string_view metric;
    Labels labels;
    double value = 0;
  };
  // One batch, of points that cover so much each.
  std::vector<Transition> Say(std::int64_t at, SeriesKind kind, const std::vector<Said>& said,
                              std::string_view unit = "", std::int64_t covers_ms = 0) {
    std::vector<std::string> labels;
    std::vector<double> values;
    std::vector<std::uint32_t> index;
    for (const Said& one : said) {
      labels.push_back(one.labels.Encode());
      values.push_back(one.value);
      index.push_back(static_cast<std::uint32_t>(index.size()));
    }
    std::vector<SeriesView> series;
    for (std::size_t i = 0; i < said.size(); ++i) {
      const std::string_view metric = said[i].metric;
      const Fingerprint fingerprint{1, Xxh64(labels[i] + std::string(metric))};
      series.push_back({fingerprint, kind, metric, unit, labels[i]});
    }
    const std::vector<std::int64_t> deltas(said.size());
    const std::vector<std::uint64_t> durations(covers_ms > 0 ? said.size() : 0,
                                               static_cast<std::uint64_t>(covers_ms));
    BatchView batch;
    batch.service = "shop";
    batch.base_time_ms = kNine + at;
    batch.series = series;
    batch.point_series = index;
    batch.point_time_delta_ms = deltas;
    batch.point_duration_ms = durations;
    batch.point_value = values;
    return Apply(at, batch);
  }
  std::vector<Transition> Gauge(std::int64_t at, std::string_view pod, double value,
                                std::string_view metric = "cpu_utilization") {
    return Say(at, SeriesKind::kGauge, {{metric, Labels({{"pod", std::string(pod)}}), value}}, "%");
  }
  template <typename Body>
  std::vector<Transition> Apply(std::int64_t at, const Body& body) {
    RecordView record;
    record.offset = offset_++;
    record.append_time = map_.ToReal(InstantFromMs(kNine + at));
    record.source = {"e", 1, numbered_ ? static_cast<std::uint64_t>(offset_) : 0};
    record.body = body;
    std::vector<Transition> out;
    Put(record, out);
    told_.insert(told_.end(), out.begin(), out.end());
    return out;
  }
  virtual void Put(const RecordView& record, std::vector<Transition>& out) {
    shard_.Apply(record, out);
  }
  void Restart() {
    auto restored = Shard::Restore(shard_.Snapshot(), map_, limits_);
    ASSERT_TRUE(restored.ok()) << restored.error().message;
    EXPECT_EQ(restored->Snapshot(), shard_.Snapshot());
    shard_ = std::move(*restored);
  }
  const AlarmView* Find(std::string_view id) {
    views_ = shard_.Alarms();
    for (const AlarmView& v : views_) {
      if (v.alarm_id == id) return &v;
    }
    return nullptr;
  }

  const TimeMap map_;
  const ShardLimits limits_;
  Shard shard_{map_, limits_};
  bool numbered_ = true;  // do batches have a sequence?
  std::int64_t offset_ = 0;
  std::int64_t at_ = 0;
  std::vector<Transition> told_;  // all
  std::vector<AlarmView> views_;
};

}  // namespace liveops::engine::testing
