#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "common/plan/parse.h"
#include "services/liveopsctl/rehearse/log_player.h"

// For tests: a log of partitions, played.
namespace liveops::rehearse {

inline constexpr std::int64_t kTen = 1'772'359'200'000;  // 2026-03-01T10:00:00Z
inline constexpr std::int32_t kPartitions = 8;
inline constexpr std::int64_t kMinute = 60'000;

inline std::string PlanText(const std::string& when, const std::string& top = "") {
  return "service: shop\n" + top +
         "owners:\n  on-call: {slack: \"#oncall\", pagerduty: oncall}\n"
         "alarms:\n  - {name: hot, when: '" +
         when + "', severity: high, owner: on-call}\n";
}

// By service, how its series lay.
using Spreads = std::map<std::string, std::vector<SpreadStep>, std::less<>>;

// So all the time.
inline std::vector<SpreadStep> Always(int spread) { return {{RealTime{}, spread}}; }

inline Result<LogPlayer> Make(const std::string& text, const Spreads& spread) {
  const plan::ParseResult parsed = plan::Parse(text);
  for (const plan::Problem& problem : parsed.problems) ADD_FAILURE() << problem.ToString("plan");
  return LogPlayer::Make(parsed.plan, text, {TimeMap{}, kPartitions, spread});
}

inline std::int32_t PartitionAt(const std::string& service, int i) {
  return (PartitionOf(service, kPartitions) + i) % kPartitions;
}

// Of which the partition is neither that of shop nor, where it is spread, one of shop's.
inline std::string ServiceElsewhere() {
  for (int i = 0;; ++i) {
    std::string name = "payments-" + std::to_string(i);
    if (PartitionOf(name, kPartitions) == PartitionAt("shop", 5)) return name;
  }
}

// What a log holds, as it is written.
class LogPlayerTest : public ::testing::Test {
 protected:
  struct Series {
    std::int32_t partition = 0;
    std::string service;
    std::string host;
    double value = 0;
    std::string emitter = "emitter";
  };

  void Play(const std::string& text, const Spreads& spread) {
    Result<LogPlayer> made = Make(text, spread);
    ASSERT_TRUE(made.ok()) << made.error().message;
    player_.emplace(std::move(*made));
  }

  template <typename Body>
  static engine::RecordView Record(std::int64_t at, const Body& body) {
    engine::RecordView record;
    record.append_time = RealFromMs(kTen + at);
    record.body = body;
    return record;
  }
  static engine::TickView TickAt(std::int64_t at) {
    engine::TickView tick;
    tick.instance = "ingest";
    tick.session = 1;
    tick.steady_ms = at;
    return tick;
  }
  // One reading, as a part of its emitter's batch of that number.
  void Send(const Series& series, std::uint64_t sequence,
            const std::function<void(const engine::RecordView&)>& take) const {
    Labels of_host;
    of_host.Set("host", series.host);
    const std::string labels = of_host.Encode();
    const engine::SeriesView view{
        {1, Xxh64(series.service + series.host)}, engine::SeriesKind::kGauge, "x", "1", labels};
    const std::uint32_t index = 0;
    const std::int64_t delta = 0;
    engine::BatchView batch;
    batch.service = series.service;
    batch.base_time_ms = kTen + at_ - Ahead(series.partition);
    batch.series = {&view, 1};
    batch.point_series = {&index, 1};
    batch.point_time_delta_ms = {&delta, 1};
    batch.point_value = {&series.value, 1};
    engine::RecordView record = Record(at_, batch);
    record.source = {series.emitter, 1, sequence};
    take(record);
  }
  std::int64_t Ahead(std::int32_t partition) const {
    const auto found = ahead_.find(partition);
    return found == ahead_.end() ? 0 : found->second;
  }
  virtual void Give(std::int32_t partition, const engine::RecordView& record) {
    player_->Replay(partition, record);
  }
  // Ticks in all, and each second one batch, parts of which lie where its series do; in the order
  // of their append times.
  void Until(std::int64_t to) {
    for (; at_ < to; at_ += 250) {
      for (const std::int32_t partition : player_->partitions()) {
        if (!lost_.contains(partition))
          Give(partition, Record(at_, TickAt(at_ - Ahead(partition))));
      }
      if (at_ % 1000 != 0) continue;
      ++sequence_;
      for (const Series& series : series_) {
        if (lost_.contains(series.partition)) continue;
        Send(series, sequence_,
             [&](const engine::RecordView& record) { Give(series.partition, record); });
      }
    }
  }
  std::vector<engine::AlarmState> States() {
    std::vector<engine::AlarmState> states;
    for (engine::Transition& told : player_->Take()) {
      states.push_back(told.state);
      told_ = std::move(told);
    }
    return states;
  }

  std::optional<LogPlayer> player_;
  std::vector<Series> series_;
  std::map<std::int32_t, std::int64_t> ahead_;  // ms that a partition's clock is
  std::set<std::int32_t> lost_;                 // nothing reaches them
  engine::Transition told_;                     // the last one
  std::int64_t at_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace liveops::rehearse
