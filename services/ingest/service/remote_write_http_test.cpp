#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <limits>

#include "common/base/labels.h"
#include "common/runtime/exemplars.h"
#include "remote_write_1.pb.h"
#include "services/ingest/service/http_for_tests.h"

namespace liveops::ingest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using LabelList = std::vector<std::pair<std::string, std::string>>;

class RemoteWrite1 : public Http {
 protected:
  static void Add(prometheus::WriteRequest& request, const LabelList& labels, double value,
                  std::int64_t time_ms = kNow) {
    auto& series = *request.add_timeseries();
    for (const auto& [name, label_value] : labels) {
      auto& label = *series.add_labels();
      label.set_name(name);
      label.set_value(label_value);
    }
    auto& sample = *series.add_samples();
    sample.set_value(value);
    sample.set_timestamp(time_ms);
  }
  httplib::Result Write(const prometheus::WriteRequest& request,
                        const httplib::Headers& more = {}) {
    return WriteBytes(request.SerializeAsString(), more);
  }
  httplib::Result WriteBytes(const std::string& message, const httplib::Headers& more = {}) {
    httplib::Headers headers = {{"Content-Encoding", "snappy"},
                                {"X-Prometheus-Remote-Write-Version", "0.1.0"}};
    headers.insert(more.begin(), more.end());
    return Post("/api/v1/write", Snappy(message), "application/x-protobuf", headers);
  }
  // The one record that was sent.
  v1::MetricBatch Batch() {
    EXPECT_EQ(world_.producer.sent.size(), 1u);
    return world_.producer.sent.empty() ? v1::MetricBatch() : world_.Sent(0).batch();
  }
};

TEST_F(RemoteWrite1, BecomesPointsOfTheServiceThatALabelNames) {
  prometheus::WriteRequest request;
  Add(request, {{"__name__", "http_requests_total"}, {"code", "200"}, {"job", "shop"}}, 7);
  Add(request, {{"__name__", "cpu"}, {"instance", "a:1"}, {"job", "shop"}}, 0.5, kNow - 15'000);
  const auto answer = Write(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 204);
  EXPECT_EQ(world_.producer.sent.at(0).key, "shop");
  const auto emitters = world_.core->emitters().List("shop", std::chrono::steady_clock::now());
  ASSERT_EQ(emitters.size(), 1u);
  EXPECT_EQ(emitters[0].name.protocol, "remote-write");
  EXPECT_EQ(emitters[0].accepted_points, 2u);
  const v1::ShardRecord record = world_.Sent(0);
  EXPECT_EQ(record.source().emitter(), "local");
  EXPECT_EQ(record.source().sequence(), 0u);
  const v1::MetricBatch batch = Batch();
  EXPECT_EQ(batch.protocol(), v1::PROTOCOL_REMOTE_WRITE);
  EXPECT_EQ(batch.service(), "shop");
  ASSERT_EQ(batch.series_size(), 2);
  EXPECT_EQ(batch.series(0).kind(), v1::SERIES_KIND_COUNTER_CUMULATIVE);
  EXPECT_EQ(batch.series(1).kind(), v1::SERIES_KIND_GAUGE);
  EXPECT_EQ(batch.strings(static_cast<int>(batch.series(0).metric())), "http_requests_total");
  EXPECT_EQ(Labels::Decode(batch.series(0).labels())->ToString(), "{code=\"200\"}");
  EXPECT_THAT(batch.point_value(), ElementsAre(7, 0.5));
  EXPECT_EQ(batch.base_time_ms() + batch.point_time_delta_ms(1), kNow - 15'000);
}

// With `send_exemplars: true`; each in a series of its own, without samples.
TEST_F(RemoteWrite1, ExemplarsWithATraceAreKeptForPages) {
  prometheus::WriteRequest request;
  const auto observed = [&](const LabelList& labels, const LabelList& its, double value) {
    Add(request, labels, 0);
    auto& series = *request.mutable_timeseries()->rbegin();
    series.clear_samples();
    prometheus::Exemplar exemplar;
    for (const auto& [name, text] : its) {
      exemplar.add_labels()->set_name(name);
      exemplar.mutable_labels()->rbegin()->set_value(text);
    }
    exemplar.set_value(value);
    exemplar.set_timestamp(kNow - 5);
    series.add_exemplars(exemplar.SerializeAsString());
  };
  const std::string trace = "5b8efff798038103d269b633813fc60c";
  const std::string bucket = "http_request_duration_seconds_bucket";
  observed({{"__name__", bucket}, {"job", "shop"}, {"le", "1"}, {"route", "/a"}},
           {{"trace_id", trace}, {"span_id", "eee19b7ec3c1b174"}}, 0.7);
  observed({{"__name__", bucket}, {"job", "shop"}, {"le", "+Inf"}, {"route", "/a"}},
           {{"traceID", "d269b633813fc60c"}}, 2.5);
  observed({{"__name__", "jobs_total"}, {"job", "shop"}, {"le", "1"}}, {{"traceId", trace}}, 1);
  observed({{"__name__", "other_total"}, {"job", "shop"}}, {{"user", "7"}}, 1);
  observed({{"__name__", "other_total"}, {"job", "shop"}}, {{"trace_id", "no id"}}, 1);
  observed({{"__name__", "other_total"}}, {{"trace_id", trace}}, 1);
  request.mutable_timeseries(0)->add_exemplars("nonsense");
  const auto answer = Write(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 204) << answer->body;
  EXPECT_EQ(world_.producer.count(), 0u) << "they are no points";
  const std::vector<v1::Exemplar> kept = world_.Exemplars();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].metric(), bucket);
  EXPECT_EQ(kept[0].value(), 2.5) << "of all buckets of a series the slowest";
  EXPECT_EQ(kept[0].unit(), "s");
  EXPECT_EQ(runtime::LabelsOf(kept[0]).ToString(), "{route=\"/a\"}");
  EXPECT_EQ(runtime::TraceIdOf(kept[0]), "0000000000000000d269b633813fc60c");
  EXPECT_EQ(kept[0].time_ms(), kNow - 5);
  EXPECT_EQ(kept[1].metric(), "jobs_total");
  EXPECT_EQ(kept[1].unit(), "");
  EXPECT_EQ(runtime::LabelsOf(kept[1]).ToString(), "{le=\"1\"}");
  EXPECT_EQ(runtime::TraceIdOf(kept[1]), trace);
}

TEST_F(RemoteWrite1, TheLabelServiceGoesBeforeJob) {
  prometheus::WriteRequest request;
  Add(request, {{"__name__", "cpu"}, {"job", "node"}, {"service", "shop"}}, 1);
  ASSERT_EQ(Write(request)->status, 204);
  EXPECT_EQ(Batch().service(), "shop");
  EXPECT_EQ(Labels::Decode(Batch().series(0).labels())->ToString(), "{job=\"node\"}");
}

TEST_F(RemoteWrite1, WhichLabelNamesTheServiceCanBeSaid) {
  settings_.remote_write.service_labels = {"app"};
  Serve();
  prometheus::WriteRequest request;
  Add(request, {{"__name__", "cpu"}, {"app", "shop"}, {"job", "node"}}, 1);
  Add(request, {{"__name__", "cpu"}, {"job", "node"}}, 1);
  const auto answer = Write(request);
  EXPECT_EQ(answer->status, 400);
  EXPECT_THAT(answer->body, HasSubstr("one of them must: app"));
  EXPECT_EQ(Batch().service(), "shop");
}

TEST_F(RemoteWrite1, BadSamplesAreRefusedAndTheOthersKept) {
  const double infinite = std::numeric_limits<double>::infinity();
  prometheus::WriteRequest request;
  Add(request, {{"__name__", "good"}, {"job", "shop"}}, 1);
  Add(request, {{"__name__", "nan"}, {"job", "shop"}}, std::nan(""));
  Add(request, {{"__name__", "inf"}, {"job", "shop"}}, infinite);
  Add(request, {{"__name__", "old"}, {"job", "shop"}}, 1, 5);                  // 1970
  Add(request, {{"__name__", "new"}, {"job", "shop"}}, 1, 4'102'444'800'000);  // 2100
  Add(request, {{"__name__", "far"}, {"job", "shop"}}, 1, INT64_MIN);
  Add(request, {{"__name__", "farther"}, {"job", "shop"}}, 1, INT64_MAX);
  Add(request, {{"__name__", "bad\xff"}, {"job", "shop"}}, 1);
  Add(request, {{"__name__", "utf8"}, {"job", "shop"}, {"l", "\xc3\x28"}}, 1);
  Add(request, {{"__name__", "twice"}, {"job", "shop"}, {"l", "1"}, {"l", "2"}}, 1);
  Add(request, {{"__name__", "a"}, {"__name__", "b"}, {"job", "shop"}}, 1);
  Add(request, {{"job", "shop"}}, 1);
  Add(request, {{"__name__", "nobodys"}}, 1);
  Add(request, {{"__name__", "falls_total"}, {"job", "shop"}}, -1);
  const auto answer = Write(request);
  EXPECT_EQ(answer->status, 400);
  EXPECT_THAT(answer->body, HasSubstr("13 data points refused"));
  for (const char* word : {"not_finite (2)", "too_old (2)", "future (2)", "bad_metric (2)",
                           "bad_labels (3)", "bad_service (1)", "negative (1)"}) {
    EXPECT_THAT(answer->body, HasSubstr(word));
  }
  EXPECT_EQ(Batch().series_size(), 1);
  EXPECT_EQ(Batch().strings(0), "good");
  EXPECT_EQ(Counter("rejected_points.not_finite"), 2);
  // What is NaN was no value; the others are missing.
  world_.producer.sent.clear();
  world_.Tick();
  std::uint64_t told = 0;
  for (std::size_t i = 0; i < world_.producer.sent.size(); ++i) {
    const v1::ShardRecord record = world_.Sent(i);
    for (const auto& [service, points] : record.tick().refused_points()) told += points;
  }
  EXPECT_EQ(told, 11u);
}

TEST_F(RemoteWrite1, AStaleMarkerIsNoPoint) {
  prometheus::WriteRequest request;
  Add(request, {{"__name__", "cpu"}, {"job", "shop"}}, std::bit_cast<double>(kStaleMarker));
  EXPECT_EQ(Write(request)->status, 204);
  EXPECT_EQ(world_.producer.count(), 0u);
  EXPECT_EQ(Counter("remote_write_stale_markers"), 1);
  EXPECT_EQ(Counter("accepted_points"), 0);
}

TEST_F(RemoteWrite1, UnsortedLabelsAreSorted) {
  prometheus::WriteRequest request;
  Add(request, {{"z", "1"}, {"job", "shop"}, {"a", "2"}, {"none", ""}, {"__name__", "cpu"}}, 1);
  Add(request, {{"__name__", "cpu"}, {"a", "2"}, {"job", "shop"}, {"z", "1"}}, 2, kNow + 1);
  EXPECT_EQ(Write(request)->status, 204);
  const v1::MetricBatch batch = Batch();
  EXPECT_EQ(Labels::Decode(batch.series(0).labels())->ToString(), "{a=\"2\",z=\"1\"}");
  EXPECT_EQ(batch.series(0).fingerprint_lo(),
            batch.series(batch.series_size() - 1).fingerprint_lo());
}

TEST_F(RemoteWrite1, MetadataSaysWhatTheNameDoesNot) {
  prometheus::WriteRequest request;
  Add(request, {{"__name__", "pool_count"}, {"job", "shop"}}, 3);
  EXPECT_EQ(Write(request)->status, 204);
  EXPECT_EQ(Batch().series(0).kind(), v1::SERIES_KIND_COUNTER_CUMULATIVE);
  world_.producer.sent.clear();
  prometheus::WriteRequest metadata;
  metadata.add_metadata()->set_metric_family_name("pool_count");
  metadata.mutable_metadata(0)->set_type(prometheus::MetricMetadata::GAUGE);
  EXPECT_EQ(Write(metadata)->status, 204);
  EXPECT_EQ(world_.producer.count(), 0u);
  EXPECT_EQ(Write(request)->status, 204);
  EXPECT_EQ(Batch().series(0).kind(), v1::SERIES_KIND_GAUGE);
}

TEST_F(RemoteWrite1, SeveralServicesAreSeveralRecords) {
  prometheus::WriteRequest request;
  for (const char* job : {"a", "b", "a"}) Add(request, {{"__name__", "cpu"}, {"job", job}}, 1);
  EXPECT_EQ(Write(request)->status, 204);
  ASSERT_EQ(world_.producer.sent.size(), 2u);
  EXPECT_EQ(world_.Sent(0).batch().point_value_size(), 2);
  EXPECT_EQ(world_.Sent(1).batch().service(), "b");
}

TEST_F(RemoteWrite1, WhatWouldNotFitIntoARecordIsSeveral) {
  front_.reset();
  world_.settings.record_bytes_max = 4000;
  world_.Ready();
  Serve();
  prometheus::WriteRequest request;
  for (int i = 0; i < 100; ++i)
    Add(request, {{"__name__", "cpu"}, {"job", "a"}, {"path", std::string(80, 'a' + i % 26)}}, i);
  EXPECT_EQ(Write(request)->status, 204);
  EXPECT_GT(world_.producer.sent.size(), 3u);
  int points = 0;
  for (std::size_t i = 0; i < world_.producer.sent.size(); ++i) {
    EXPECT_LE(world_.producer.sent[i].value.size(), 4000u);
    points += world_.Sent(i).batch().point_value_size();
  }
  EXPECT_EQ(points, 100);
}

TEST_F(RemoteWrite1, WhatIsRememberedIsBounded) {
  settings_.remote_write.series_max = 10;
  Serve();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 30; ++i) {
      prometheus::WriteRequest request;
      Add(request, {{"__name__", "cpu"}, {"job", "a"}, {"i", std::to_string(i)}}, i);
      ASSERT_EQ(Write(request)->status, 204);
    }
    EXPECT_LT(Counter("stream_series_bytes"), 12'000);
  }
  EXPECT_EQ(world_.producer.sent.size(), 90u);
  EXPECT_EQ(world_.Sent(89).batch().series(0).fingerprint_lo(),
            world_.Sent(29).batch().series(0).fingerprint_lo());
  front_.reset();
  EXPECT_EQ(Counter("stream_series_bytes"), 0);
}

TEST_F(RemoteWrite1, KafkaAwayIsTryAgain) {
  prometheus::WriteRequest request;
  Add(request, {{"__name__", "cpu"}, {"job", "shop"}}, 1);
  world_.producer.mode = FakeProducer::Mode::kFail;
  auto answer = Write(request);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->get_header_value("Retry-After"), "1");
  world_.producer.is_connected = false;
  answer = Write(request);
  EXPECT_EQ(answer->status, 503);
  EXPECT_THAT(answer->body, HasSubstr("Kafka is out of reach"));
}

TEST_F(RemoteWrite1, WhatIsNoSuchRequestIsSaid) {
  const std::string message("\x0a\x03\x0a\x7f\x01", 5);
  EXPECT_EQ(WriteBytes(message)->status, 400);
  EXPECT_EQ(Post("/api/v1/write", "no snappy", "application/x-protobuf")->status, 400);
  EXPECT_EQ(Post("/api/v1/write", Snappy(""), "application/json")->status, 415);
  EXPECT_EQ(Post("/api/v1/write", Snappy(""), "application/x-protobuf;proto=somebody.elses.Request")
                ->status,
            415);
  EXPECT_EQ(
      Post("/api/v1/write", Snappy(""), "application/x-protobuf", {{"Content-Encoding", "gzip"}})
          ->status,
      415);
  EXPECT_EQ(
      Post("/api/v1/write", Snappy(""), "Application/X-Protobuf; proto=prometheus.WriteRequest",
           {{"Content-Encoding", "snappy"}})
          ->status,
      204);
  EXPECT_EQ(Post("/api/v2/write", Snappy(""), "application/x-protobuf")->status, 404);
  httplib::Client client("127.0.0.1", front_->plain_port());
  EXPECT_EQ(client.Get("/api/v1/write")->status, 405);
}

TEST_F(RemoteWrite1, WhatIsTooLargeIsSaid) {
  // As it comes, and decompressed: 8 MiB in less than 400 KiB, and 4 GiB - 1 in nothing.
  EXPECT_EQ(Post("/api/v1/write", std::string(5 << 20, 'x'), "application/x-protobuf")->status,
            413);
  EXPECT_EQ(WriteBytes(std::string(8 << 20, '\0'))->status, 413);
  EXPECT_EQ(Post("/api/v1/write", "\xff\xff\xff\xff\x0f", "application/x-protobuf")->status, 413);
  prometheus::WriteRequest request;
  Add(request, {{"__name__", "cpu"}, {"job", "shop"}}, 1);
  EXPECT_EQ(Write(request)->status, 204) << "and it serves on";
}

TEST_F(RemoteWrite1, WhoShowsNoTokenIsNobody) {
  settings_.tokens = {{"prometheus-1", "0123456789abcdef", {"shop"}},
                      {"prometheus-2", "fedcba9876543210", {}}};
  Serve();
  prometheus::WriteRequest request;
  Add(request, {{"__name__", "cpu"}, {"job", "shop"}}, 1);
  Add(request, {{"__name__", "cpu"}, {"job", "bank"}}, 1);
  EXPECT_EQ(Write(request)->status, 401);
  EXPECT_EQ(Write(request, {{"Authorization", "Bearer 0123456789abcdeg"}})->status, 401);
  EXPECT_EQ(Write(request, {{"Authorization", "Bearer 0123456789abcdef0"}})->status, 401);
  EXPECT_EQ(world_.producer.count(), 0u);
  const auto tied = Write(request, {{"Authorization", "Bearer 0123456789abcdef"}});
  EXPECT_EQ(tied->status, 400);
  EXPECT_THAT(tied->body, HasSubstr("foreign_service (1)"));
  ASSERT_EQ(world_.producer.count(), 1u);
  EXPECT_EQ(world_.Sent(0).source().emitter(), "prometheus-1");
  EXPECT_EQ(Write(request, {{"Authorization", "Bearer fedcba9876543210"}})->status, 204);
}

}  // namespace
}  // namespace liveops::ingest
