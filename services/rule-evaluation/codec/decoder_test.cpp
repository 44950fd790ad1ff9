#include "services/rule-evaluation/codec/decoder.h"

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "liveops/v1/metrics.pb.h"
#include "services/rule-evaluation/codec/alarm_codec.h"

namespace liveops::evaluation {
namespace {

v1::ShardRecord BatchRecord() {
  v1::ShardRecord record;
  record.mutable_source()->set_emitter("backend-1");
  record.mutable_source()->set_session(7);
  record.mutable_source()->set_sequence(42);
  v1::MetricBatch& batch = *record.mutable_batch();
  batch.set_service("backend-api");
  batch.set_protocol(v1::PROTOCOL_OTLP);
  batch.add_strings("latency");
  batch.add_strings("ms");
  batch.set_base_time_ms(1'000'000);
  v1::SeriesEntry& series = *batch.add_series();
  series.set_fingerprint_hi(1);
  series.set_fingerprint_lo(2);
  series.set_kind(v1::SERIES_KIND_GAUGE);
  series.set_metric(0);
  series.set_unit(1);
  series.set_labels("abc");
  for (int i = 0; i < 3; ++i) {
    batch.add_point_series(0);
    batch.add_point_time_delta_ms(-10 * i);
    batch.add_point_value(1.5 * i);
  }
  v1::HistogramPoint& histogram = *batch.add_histograms();
  histogram.set_count(5);
  histogram.set_sum(12);
  histogram.add_bounds(10);
  histogram.add_bounds(20);
  for (const int count : {1, 2, 2}) histogram.add_bucket_counts(static_cast<std::uint64_t>(count));
  return record;
}

// The bytes that the views of a test point into.
struct Decoding {
  Decoder decoder;
  std::string bytes;
};

Result<const engine::RecordView*> Decode(Decoding& d, const v1::ShardRecord& record) {
  d.bytes = record.SerializeAsString();
  return d.decoder.Decode(9, RealFromMs(77), d.bytes);
}

TEST(Decoder, ReadsABatchColumnByColumn) {
  Decoding decoder;
  const auto view = Decode(decoder, BatchRecord());
  ASSERT_TRUE(view.ok()) << view.error().message;
  const engine::RecordView& r = **view;
  EXPECT_EQ(r.offset, 9);
  EXPECT_EQ(ToMs(r.append_time), 77);
  EXPECT_EQ(r.source.emitter, "backend-1");
  EXPECT_EQ(r.source.session, 7u);
  EXPECT_EQ(r.source.sequence, 42u);
  const auto& batch = std::get<engine::BatchView>(r.body);
  EXPECT_EQ(batch.service, "backend-api");
  EXPECT_EQ(batch.protocol, engine::Protocol::kOtlp);
  ASSERT_EQ(batch.series.size(), 1u);
  EXPECT_EQ(batch.series[0].fingerprint, (Fingerprint{1, 2}));
  EXPECT_EQ(batch.series[0].metric, "latency");
  EXPECT_EQ(batch.series[0].unit, "ms");
  EXPECT_EQ(batch.series[0].labels, "abc");
  ASSERT_EQ(batch.point_value.size(), 3u);
  EXPECT_EQ(batch.point_value[2], 3.0);
  EXPECT_EQ(batch.point_time_delta_ms[2], -20);
  EXPECT_TRUE(batch.point_duration_ms.empty());
  ASSERT_EQ(batch.histograms.size(), 1u);
  EXPECT_EQ(batch.histograms[0].bounds.size(), 2u);
  EXPECT_EQ(batch.histograms[0].bucket_counts[1], 2u);
}

TEST(Decoder, TicksTellRefusalsInOneOrder) {
  v1::ShardRecord record;
  record.mutable_tick()->set_instance("ingest-0");
  record.mutable_tick()->set_accepting(true);
  for (const char* service : {"c", "a", "b"}) {
    (*record.mutable_tick()->mutable_refused_points())[service] = 3;
  }
  Decoding decoder;
  const auto view = Decode(decoder, record);
  ASSERT_TRUE(view.ok());
  const auto& tick = std::get<engine::TickView>((*view)->body);
  ASSERT_EQ(tick.refused_points.size(), 3u);
  EXPECT_EQ(tick.refused_points[0].first, "a");
  EXPECT_EQ(tick.refused_points[1].first, "b");
  EXPECT_EQ(tick.refused_points[2].first, "c");
  EXPECT_FALSE(tick.refused_any_service);
  record.mutable_tick()->set_refused_any_service(true);
  const auto any = Decode(decoder, record);
  ASSERT_TRUE(any.ok());
  EXPECT_TRUE(std::get<engine::TickView>((*any)->body).refused_any_service);
}

TEST(Decoder, ReadsPlansDeploymentsAndProbes) {
  Decoding decoder;
  v1::ShardRecord record;
  record.mutable_plan()->set_service("s");
  record.mutable_plan()->set_version(3);
  record.mutable_plan()->set_text("service: s");
  record.mutable_plan()->set_applied_by("kim");
  auto view = Decode(decoder, record);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(std::get<engine::PlanActivationView>((*view)->body).text, "service: s");
  EXPECT_EQ(std::get<engine::PlanActivationView>((*view)->body).applied_by, "kim");
  EXPECT_EQ(std::get<engine::PlanActivationView>((*view)->body).spread_from, RealTime{});

  record.mutable_deployment()->set_revision("43");
  record.mutable_deployment()->set_time_ms(5);
  view = Decode(decoder, record);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(std::get<engine::DeploymentView>((*view)->body).revision, "43");

  Labels pairs;
  pairs.Set("pod", "b");
  record.mutable_decommission()->set_service("s");
  record.mutable_decommission()->set_labels(pairs.Encode());
  record.mutable_decommission()->set_reason("scale-in");
  view = Decode(decoder, record);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(std::get<engine::DecommissionView>((*view)->body).labels, pairs.Encode());
  EXPECT_EQ(std::get<engine::DecommissionView>((*view)->body).reason, "scale-in");
  for (const char* labels : {"", "x"}) {
    record.mutable_decommission()->set_labels(labels);
    EXPECT_FALSE(Decode(decoder, record).ok());
  }

  record.mutable_probe()->set_probe_id("r/expect");
  record.mutable_probe()->set_within_ms(60'000);
  view = Decode(decoder, record);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(std::get<engine::ProbeStartView>((*view)->body).within, Duration(60'000));
}

TEST(Decoder, RefusesWhatDoesNotFitTogether) {
  Decoding decoder;
  const auto refused = [&](auto change) {
    v1::ShardRecord record = BatchRecord();
    change(*record.mutable_batch());
    return !Decode(decoder, record).ok();
  };
  EXPECT_TRUE(refused([](auto& b) { b.set_point_series(1, 1); }));
  EXPECT_TRUE(refused([](auto& b) { b.add_point_value(1); }));
  EXPECT_TRUE(refused([](auto& b) { b.add_point_duration_ms(1); }));
  EXPECT_TRUE(refused([](auto& b) { b.mutable_series(0)->set_metric(2); }));
  EXPECT_TRUE(refused([](auto& b) { b.mutable_series(0)->set_unit(9); }));
  EXPECT_TRUE(refused([](auto& b) { b.mutable_series(0)->clear_kind(); }));
  EXPECT_TRUE(refused([](auto& b) { b.mutable_histograms(0)->set_series(4); }));
  EXPECT_TRUE(refused([](auto& b) { b.mutable_histograms(0)->add_bounds(30); }));
  EXPECT_TRUE(refused([](auto& b) { b.mutable_histograms(0)->set_bounds(1, 5); }));
  EXPECT_TRUE(refused([](auto& b) { b.set_base_time_ms(INT64_MAX); }));
  EXPECT_TRUE(refused([](auto& b) { b.set_point_time_delta_ms(0, INT64_MIN); }));
  EXPECT_TRUE(refused([](auto& b) { b.clear_service(); }));
  EXPECT_FALSE(refused([](auto&) {}));
  EXPECT_FALSE(decoder.decoder.Decode(1, {}, "").ok());
  v1::ShardRecord readings;
  readings.mutable_readings()->set_rule("x");
  readings.mutable_readings()->set_step_end_ms(INT64_MAX);
  EXPECT_FALSE(Decode(decoder, readings).ok());
}

TEST(Decoder, ReadsWhatAShardSaysToTheHomeOfASpreadService) {
  const engine::Readings said{3, "shop", "hot", 77, 4, 1'770'195'600'000, 1, 2, "bytes"};
  const std::string value = EncodeReadings({"evaluator-0", 9, 5}, said);
  Decoder decoder;
  const auto view = decoder.Decode(9, RealFromMs(77), value);
  ASSERT_TRUE(view.ok()) << view.error().message;
  EXPECT_EQ((*view)->source.sequence, 5u);
  const auto& readings = std::get<engine::ReadingsView>((*view)->body);
  EXPECT_EQ(readings.service, "shop");
  EXPECT_EQ(readings.rule, "hot");
  EXPECT_EQ(readings.windows, 77u);
  EXPECT_EQ(readings.source_partition, 4);
  EXPECT_EQ(readings.step_end_ms, 1'770'195'600'000);
  EXPECT_EQ(readings.part, 1u);
  EXPECT_EQ(readings.parts, 2u);
  EXPECT_EQ(readings.groups, "bytes");
}

TEST(Decoder, ReadsAnAlertOfOthers) {
  v1::ShardRecord record;
  v1::ExternalAlert& alert = *record.mutable_alert();
  alert.set_service("shop");
  alert.set_source("alertmanager");
  alert.set_name("Down");
  for (const char* name : {"zone", "pod"}) {  // in whatever order
    v1::Label& label = *alert.add_labels();
    label.set_name(name);
    label.set_value("1");
  }
  alert.set_severity("page");
  alert.set_summary("s");
  alert.set_description("d");
  alert.set_runbook("r");
  alert.set_link("l");
  alert.set_firing(true);
  alert.set_starts_ms(1000);
  alert.set_valid_until_ms(241'000);
  Decoder decoder;
  const std::string value = record.SerializeAsString();
  const auto view = decoder.Decode(9, RealFromMs(77), value);
  ASSERT_TRUE(view.ok()) << view.error().message;
  const auto& read = std::get<engine::ExternalAlertView>((*view)->body);
  EXPECT_EQ(read.service, "shop");
  EXPECT_EQ(read.source, "alertmanager");
  EXPECT_EQ(read.name, "Down");
  EXPECT_EQ(Labels::Decode(read.labels)->ToString(), "{pod=\"1\",zone=\"1\"}");
  EXPECT_EQ(read.severity, "page");
  EXPECT_EQ(read.summary, "s");
  EXPECT_EQ(read.description, "d");
  EXPECT_EQ(read.runbook, "r");
  EXPECT_EQ(read.link, "l");
  EXPECT_TRUE(read.firing);
  EXPECT_EQ(ToMs(read.starts), 1000);
  EXPECT_EQ(ToMs(read.until), 241'000);
  alert.set_starts_ms(INT64_MAX);
  EXPECT_FALSE(decoder.Decode(10, {}, record.SerializeAsString()).ok());
}

TEST(Decoder, NoBytesMakeItFall) {
  google::protobuf::SetLogHandler(nullptr);  // its lines about our garbage would only puzzle
  Decoder decoder;
  std::mt19937 random(1);
  const std::string good = BatchRecord().SerializeAsString();
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = good;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int c = 0; c < changes; ++c) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const auto view = decoder.Decode(i, {}, bytes);
    if (!view.ok()) continue;
    ++accepted;
    if (const auto* batch = std::get_if<engine::BatchView>(&(*view)->body)) {
      for (const std::uint32_t index : batch->point_series) ASSERT_LT(index, batch->series.size());
      ASSERT_EQ(batch->point_value.size(), batch->point_series.size());
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_TRUE(decoder.Decode(0, {}, good).ok());
}

}  // namespace
}  // namespace liveops::evaluation
