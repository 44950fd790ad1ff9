// A service that is spread over partitions, as ingest's core hands out its points.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "common/base/hash.h"
#include "common/runtime/plan_record_for_tests.h"
#include "services/ingest/service/world_for_tests.h"

namespace liveops::ingest {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr int kSeries = 32;

void Apply(World& w, std::uint64_t version, int spread, std::int64_t from_ms,
           const std::string& service = "shop") {
  const kafka::Record record = runtime::SpreadRecord(service, version, spread, from_ms, 0);
  ASSERT_TRUE(w.core->spreads().Read(record).ok());
}

// Many gauges, each with one point; `labels` differ.
v1::WriteRequest Many(std::uint64_t sequence, std::int64_t time_ms = kNow) {
  v1::WriteRequest request = Request("shop", sequence);
  v1::MetricBatch* const batch = request.mutable_batch();
  batch->set_base_time_ms(time_ms);
  batch->clear_point_series();
  batch->clear_point_time_delta_ms();
  batch->clear_point_value();
  batch->clear_series();
  for (int i = 0; i < kSeries; ++i) {
    auto* const series = batch->add_series();
    series->set_kind(v1::SERIES_KIND_GAUGE);
    series->set_unit(1);
    series->set_labels(std::string("\x03pod\x02", 5) + std::to_string(10 + i));
    batch->add_point_series(static_cast<std::uint32_t>(i));
    batch->add_point_time_delta_ms(0);
    batch->add_point_value(i);
  }
  return request;
}

// By partition, the values in what was sent from record `from` on.
std::map<std::int32_t, std::set<double>> Sent(World& w, std::size_t from = 0) {
  std::map<std::int32_t, std::set<double>> sent;
  for (std::size_t i = from; i < w.producer.sent.size(); ++i) {
    const v1::MetricBatch batch = w.Sent(i).batch();
    for (const double value : batch.point_value()) sent[w.producer.sent[i].partition].insert(value);
  }
  return sent;
}

std::size_t Points(const std::map<std::int32_t, std::set<double>>& sent) {
  std::size_t points = 0;
  for (const auto& [partition, values] : sent) points += values.size();
  return points;
}

// What the next round of ticks tells, by partition.
std::map<std::int32_t, std::uint64_t> Told(World& w, const std::string& service = "shop") {
  w.producer.sent.clear();
  w.producer.mode = FakeProducer::Mode::kAnswer;
  w.Tick();
  std::map<std::int32_t, std::uint64_t> told;
  for (std::size_t i = 0; i < w.producer.sent.size(); ++i) {
    const v1::Tick tick = w.Sent(i).tick();
    const auto found = tick.refused_points().find(service);
    if (found != tick.refused_points().end()) {
      told[w.producer.sent[i].partition] = found->second;
    }
  }
  return told;
}

std::int32_t Home(int step = 0) { return (PartitionOf("shop", 4) + step) % 4; }

TEST(SpreadService, OneBatchIsARecordForEachPartitionAndOneAnswerWhenAllStand) {
  World w;
  w.Ready();
  Apply(w, 1, 3, 1);
  w.producer.mode = FakeProducer::Mode::kHold;
  w.Write(Many(7));
  ASSERT_EQ(w.producer.sent.size(), 3u);
  const auto sent = Sent(w);
  EXPECT_EQ(Points(sent), static_cast<std::size_t>(kSeries));
  EXPECT_FALSE(sent.contains(Home(3)));
  for (std::size_t i = 0; i < 3; ++i) {
    const v1::ShardRecord record = w.Sent(i);
    EXPECT_EQ(record.source().emitter(), "api-7f9c");
    EXPECT_EQ(record.source().session(), 42u);
    EXPECT_EQ(record.source().sequence(), 7u);
    EXPECT_EQ(record.batch().service(), "shop");
    EXPECT_EQ(w.producer.sent[i].key, "shop");
    for (const v1::SeriesEntry& series : record.batch().series()) {
      const Fingerprint fingerprint{series.fingerprint_hi(), series.fingerprint_lo()};
      EXPECT_EQ(w.producer.sent[i].partition, SpreadPartitionOf("shop", fingerprint, 3, 4));
    }
  }
  w.producer.Answer(w.producer.sent[1], true);
  w.producer.Answer(w.producer.sent[0], true);
  EXPECT_EQ(w.answers, 0);
  w.producer.Answer(w.producer.sent[2], true);
  ASSERT_EQ(w.answers, 1);
  ASSERT_TRUE(w.last->ok());
  EXPECT_EQ((*w.last)->accepted_points, static_cast<std::uint64_t>(kSeries));
  EXPECT_EQ(w.core->Counters().at("accepted_points"), kSeries);
  EXPECT_EQ(w.core->Counters().at("in_flight_bytes"), 0);
}

TEST(SpreadService, AFailureOfOnePartRefusesTheWholeAndIsToldInAllItsPartitions) {
  World w;
  w.Ready();
  Apply(w, 1, 3, 1);
  w.producer.mode = FakeProducer::Mode::kHold;
  w.Write(Many(7));
  w.producer.Answer(w.producer.sent[0], true);
  w.producer.Answer(w.producer.sent[1], false);
  EXPECT_EQ(w.answers, 0);
  w.producer.Answer(w.producer.sent[2], true);
  ASSERT_EQ(w.answers, 1);
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
  const auto lost = static_cast<std::uint64_t>(w.Sent(1).batch().point_value_size());
  EXPECT_THAT(Told(w),
              UnorderedElementsAre(Pair(Home(0), lost), Pair(Home(1), lost), Pair(Home(2), lost)));
}

TEST(SpreadService, ARetryIsSplitAsTheFirstTryWhateverWasAppliedMeanwhile) {
  World w;
  w.Ready();
  Apply(w, 1, 2, 1);
  w.producer.mode = FakeProducer::Mode::kFail;
  w.Write(Many(7));
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
  const auto first = Sent(w);
  w.producer.mode = FakeProducer::Mode::kAnswer;
  Apply(w, 2, 4, kNow + 1);  // counts for what comes later
  const std::size_t before = w.producer.sent.size();
  w.Write(Many(7));
  ASSERT_TRUE(w.last->ok());
  EXPECT_EQ(Sent(w, before), first);
  for (std::size_t i = 0; i < before; ++i) {
    EXPECT_EQ(w.producer.sent[i].partition, w.producer.sent[before + i].partition);
    EXPECT_EQ(w.Sent(i).source().SerializeAsString(),
              w.Sent(before + i).source().SerializeAsString())
        << "by which a shard knows it again";
  }
  const std::size_t later = w.producer.sent.size();
  w.Write(Many(8, kNow + 1));
  EXPECT_EQ(w.producer.sent.size() - later, 4u);
}

TEST(SpreadService, PointsFromBeforeTheChangeGoWhereTheyWentThen) {
  World w;
  w.Ready();
  Apply(w, 1, 4, kNow);
  v1::WriteRequest request = Many(1);
  for (int i = 0; i < kSeries / 2; ++i) request.mutable_batch()->set_point_time_delta_ms(i, -1);
  w.Write(request);
  const auto sent = Sent(w);
  EXPECT_EQ(Points(sent), static_cast<std::size_t>(kSeries));
  for (const auto& [partition, values] : sent) {
    for (const double value : values) {
      EXPECT_TRUE(value >= kSeries / 2 || partition == Home()) << value;
    }
  }
  EXPECT_EQ(sent.size(), 4u);
}

TEST(SpreadService, OthersAreNotTouched) {
  World w;
  w.Ready();
  Apply(w, 1, 4, 1, "another");
  w.Write(Many(7));
  ASSERT_EQ(w.producer.sent.size(), 1u);
  EXPECT_EQ(w.producer.sent[0].partition, Home());
}

TEST(SpreadService, OtlpIsSplitByTheSameRule) {
  World w;
  w.Ready();
  Apply(w, 1, 4, 1);
  OtlpRequest request = OtlpOf({"shop", "web"});
  auto* const gauge = request.mutable_resource_metrics(0)
                          ->mutable_scope_metrics(0)
                          ->mutable_metrics(0)
                          ->mutable_gauge();
  const auto point = gauge->data_points(0);
  gauge->clear_data_points();
  for (int i = 0; i < kSeries; ++i) {
    auto* const one = gauge->add_data_points();
    *one = point;
    one->set_as_double(i);
    auto* const pod = one->add_attributes();
    pod->set_key("pod");
    pod->mutable_value()->set_string_value(std::to_string(10 + i));
  }
  w.producer.mode = FakeProducer::Mode::kHold;
  w.Export(request);
  ASSERT_EQ(w.producer.sent.size(), 5u) << "four of shop and one of web";
  for (std::size_t i = 0; i < 4; ++i) {
    const v1::ShardRecord record = w.Sent(i);
    EXPECT_EQ(record.batch().service(), "shop");
    for (const v1::SeriesEntry& series : record.batch().series()) {
      const Fingerprint fingerprint{series.fingerprint_hi(), series.fingerprint_lo()};
      EXPECT_EQ(w.producer.sent[i].partition, SpreadPartitionOf("shop", fingerprint, 4, 4));
    }
  }
  for (std::size_t i = 0; i < 4; ++i) w.producer.Answer(w.producer.sent[i], true);
  EXPECT_EQ(w.answers, 0);
  w.producer.Answer(w.producer.sent[4], true);
  ASSERT_EQ(w.answers, 1);
  EXPECT_EQ((*w.last)->accepted_points, kSeries + 1u);
  // The two summaries are not taken.
  EXPECT_EQ(Told(w).size(), 4u);
}

TEST(SpreadService, APartTooLargeForARecordRefusesTheWholeBeforeAnyIsSent) {
  World w;
  w.settings.record_bytes_max = 200;
  w.Ready();
  Apply(w, 1, 2, 1);
  w.Write(Many(7));
  EXPECT_EQ(w.Code(), ErrorCode::kInvalid);
  EXPECT_TRUE(w.producer.sent.empty());
  EXPECT_THAT(Told(w), UnorderedElementsAre(Pair(Home(0), kSeries), Pair(Home(1), kSeries)));
}

TEST(SpreadService, NothingOfItIsDecommissioned) {
  World w;
  w.Ready();
  Apply(w, 1, 2, 0);
  v1::DecommissionRequest request;
  request.set_service("shop");
  v1::Label* label = request.add_labels();
  label->set_name("pod");
  label->set_value("a");
  std::optional<Status> status;
  w.core->Decommission(request, {"ci", {rpc::Role::kEmitter}, {}}, "",
                       [&](const Status& s) { status = s; });
  ASSERT_TRUE(status && !status->ok());
  EXPECT_EQ(status->error().code, ErrorCode::kInvalid);
  EXPECT_THAT(status->error().message, testing::HasSubstr("on several partitions"));
  EXPECT_TRUE(w.producer.sent.empty());
}

TEST(SpreadService, WhoHasNotReadThePlansForThirtySecondsTakesNothing) {
  World w;
  w.Ready();
  w.core->spreads().ReadToEnd(std::chrono::steady_clock::now() - std::chrono::seconds(31));
  EXPECT_FALSE(w.core->accepting());
  w.Write(Request());
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
  EXPECT_THAT(w.last->error().message, testing::HasSubstr("could not read the plans"));
  w.Export(OtlpOf({"a"}));
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(w.producer.sent.empty());
  w.Tick();
  EXPECT_FALSE(w.Sent(0).tick().accepting()) << "so that no silence is proof";
  w.core->spreads().ReadToEnd(std::chrono::steady_clock::now());
  w.Write(Request());
  EXPECT_TRUE(w.last->ok());
}

TEST(RefusalLedger, TellsInTheHomeAndThePartitionsAfterIt) {
  RefusalLedger ledger(4);
  ledger.Add("shop", 5, 3);
  ledger.Add("shop", 2);
  EXPECT_THAT(ledger.Take(Home(0)).points, ElementsAre(Pair("shop", 7)));
  EXPECT_THAT(ledger.Take(Home(1)).points, ElementsAre(Pair("shop", 5)));
  EXPECT_THAT(ledger.Take(Home(2)).points, ElementsAre(Pair("shop", 5)));
  EXPECT_TRUE(ledger.Take(Home(3)).empty());
  ledger.Add("shop", 1, 9);
  for (int step = 0; step < 4; ++step) EXPECT_EQ(ledger.Take(Home(step)).points.at("shop"), 1u);
}

}  // namespace
}  // namespace liveops::ingest
