#include "services/ingest/service/refusals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/base/hash.h"
#include "services/ingest/service/world_for_tests.h"

namespace liveops::ingest {
namespace {

using testing::ElementsAre;
using testing::Pair;

// What the ticks of the next round tell.
std::map<std::string, std::uint64_t> Told(World& w, bool* any = nullptr) {
  w.producer.sent.clear();
  w.Tick();
  std::map<std::string, std::uint64_t> told;
  for (std::size_t i = 0; i < w.producer.sent.size(); ++i) {
    const v1::Tick tick = w.Sent(i).tick();
    for (const auto& [service, points] : tick.refused_points()) {
      EXPECT_EQ(w.producer.sent[i].partition, PartitionOf(service, 4));
      told[service] += points;
    }
    if (any) *any |= tick.refused_any_service();
  }
  return told;
}

const rpc::Peer kTied{"web", {rpc::Role::kEmitter}, {"web"}};

TEST(Refusals, EveryPointThatIsRefusedForGoodIsTold) {
  World w;
  w.Ready();
  v1::WriteRequest request = Request();
  v1::MetricBatch* const batch = request.mutable_batch();
  const auto add = [&](std::uint32_t series, std::int64_t delta_ms, double value) {
    batch->add_point_series(series);
    batch->add_point_time_delta_ms(delta_ms);
    batch->add_point_value(value);
  };
  add(0, 3'600'000, 1);
  add(0, -10'000'000, 1);
  add(0, 0, std::nan(""));
  add(9, 0, 1);
  w.Write(request);
  ASSERT_TRUE(w.last->ok());
  EXPECT_EQ((*w.last)->accepted_points, 1u);
  EXPECT_THAT(Told(w), ElementsAre(Pair("backend-api", 4)));
  EXPECT_TRUE(Told(w).empty());

  batch->set_point_series(0, 9);  // now there is no good one
  w.Write(request);
  EXPECT_EQ((*w.last)->accepted_points, 0u);
  EXPECT_THAT(Told(w), ElementsAre(Pair("backend-api", 5)));
}

TEST(Refusals, BatchesThatAreRefusedWholeAreTold) {
  World w;
  w.settings.record_bytes_max = 200;
  w.settings.limits.points_per_batch = 1;
  w.Ready();
  v1::WriteRequest request = Request();
  request.mutable_batch()->set_strings(0, std::string(200, 'm'));
  w.Write(request);  // too large for a record
  EXPECT_EQ(w.Code(), ErrorCode::kInvalid);
  EXPECT_EQ(Told(w).at("backend-api"), 1u);
  request.mutable_batch()->add_point_value(1);
  w.Write(request);  // the columns differ in length
  EXPECT_EQ(w.Code(), ErrorCode::kInvalid);
  EXPECT_EQ(Told(w).at("backend-api"), 2u);
  request.mutable_batch()->add_point_series(0);
  request.mutable_batch()->add_point_time_delta_ms(0);
  w.Write(request);  // too many
  EXPECT_EQ(w.Code(), ErrorCode::kInvalid);
  EXPECT_EQ(Told(w).at("backend-api"), 2u);
  request.clear_source();
  w.Write(request);
  EXPECT_EQ(w.Code(), ErrorCode::kInvalid);
  EXPECT_EQ(Told(w).at("backend-api"), 2u);
  EXPECT_EQ(w.core->Counters().at("invalid_batch_points"), 7);
}

TEST(Refusals, WhatTheBrokerRefusesForGoodIsTold) {
  World w;
  w.Ready();
  w.producer.mode = FakeProducer::Mode::kRefuse;
  w.Write(Request());
  EXPECT_EQ(w.Code(), ErrorCode::kInvalid);
  w.producer.mode = FakeProducer::Mode::kAnswer;
  EXPECT_THAT(Told(w), ElementsAre(Pair("backend-api", 1)));
}

TEST(Refusals, NobodyMakesAnothersSilenceDoubtful) {
  World w;
  w.Ready();
  v1::WriteRequest request = Request("backend-api");
  request.mutable_batch()->set_point_series(0, 9);
  w.Write(request, kTied);
  EXPECT_EQ(w.Code(), ErrorCode::kDenied);
  request.clear_source();
  w.Write(request, kTied);
  EXPECT_EQ(w.Code(), ErrorCode::kDenied);
  w.Export(OtlpOf({"backend-api", "web"}), kTied);
  ASSERT_TRUE(w.last->ok());
  w.core->Close();
  w.Export(OtlpOf({"backend-api", "web"}), kTied);
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
  // Each time a summary, which is not taken, and then the point of the gauge.
  EXPECT_THAT(Told(w), ElementsAre(Pair("web", 3)));
}

TEST(Refusals, OtlpPointsThatAreNotTakenAreTold) {
  World w;
  w.Ready();
  OtlpRequest request = OtlpOf({"a", "b", std::string(200, 'x')});
  request.mutable_resource_metrics(0)
      ->mutable_scope_metrics(0)
      ->mutable_metrics(0)
      ->mutable_gauge()
      ->mutable_data_points(0)
      ->set_as_double(HUGE_VAL);
  w.Export(request);
  ASSERT_TRUE(w.last->ok());
  EXPECT_THAT(Told(w), ElementsAre(Pair("a", 2), Pair("b", 1)));
}

TEST(Refusals, RefusedOtlpIsToldByTheTicksOfItsServices) {
  World w;
  w.Build();
  w.Export(OtlpOf({"a", "b", "a"}));
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
  EXPECT_THAT(Told(w), ElementsAre(Pair("a", 4), Pair("b", 2)));
}

TEST(Refusals, ThousandsOfNamesMakeAllServicesOfTheirPartitionRefused) {
  RefusalLedger ledger(1);
  for (std::size_t i = 0; i < RefusalLedger::kNamesMax; ++i) {
    ledger.Add("service-" + std::to_string(i), 1);
    ledger.Add("service-0", 1);
  }
  const Refusals named = ledger.Take(0);
  EXPECT_EQ(named.points.size(), RefusalLedger::kNamesMax);
  EXPECT_FALSE(named.all);
  for (int i = 0; i < 20'000; ++i) ledger.Add("service-" + std::to_string(i), 1);
  const Refusals all = ledger.Take(0);
  EXPECT_TRUE(all.all);
  EXPECT_TRUE(all.points.empty());
  EXPECT_TRUE(ledger.Take(0).empty());

  ledger.GiveBack(0, named);
  ledger.Add("one more", 1);
  EXPECT_TRUE(ledger.Take(0).all);
  ledger.Add("a", 1);
  ledger.GiveBack(0, all);
  EXPECT_TRUE(ledger.Take(0).all);
}

TEST(Refusals, ATickStaysSmallWhateverWasRefused) {
  World w;
  w.Build();
  for (int i = 0; i < 20'000; ++i) {
    w.Export(OtlpOf({std::string(120, 'n') + std::to_string(i)}));
  }
  w.Tick();
  ASSERT_EQ(w.producer.sent.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_LT(w.producer.sent[i].value.size(), 200u);
    EXPECT_TRUE(w.Sent(i).tick().refused_any_service());
  }
  bool any = false;
  EXPECT_TRUE(Told(w, &any).empty());
  EXPECT_FALSE(any);
}

TEST(Refusals, ATickBeyondTheBytesOfARecordNamesNobody) {
  World w;
  w.settings.record_bytes_max = 300;
  w.Ready();
  for (int i = 0; i < 100; ++i) {
    w.core->refusals().Add(std::string(50, 'n') + std::to_string(i), 1);
  }
  bool any = false;
  EXPECT_TRUE(Told(w, &any).empty());
  EXPECT_TRUE(any);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_LE(w.producer.sent[i].value.size(), 300u);
}

TEST(Refusals, ATickThatTheBrokerWillNeverTakeIsNotSentAgain) {
  World w;
  w.Ready();
  w.core->refusals().Add("backend-api", 3);
  w.producer.mode = FakeProducer::Mode::kRefuse;
  w.Tick();
  w.producer.mode = FakeProducer::Mode::kAnswer;
  bool any = false;
  EXPECT_TRUE(Told(w, &any).empty());
  EXPECT_TRUE(any);  // and yet what it told is not lost
}

}  // namespace
}  // namespace liveops::ingest
