#include <gmock/gmock.h>

#include <bit>
#include <map>

#include "common/base/labels.h"
#include "common/runtime/exemplars.h"
#include "remote_write_2.pb.h"
#include "services/ingest/service/http_for_tests.h"

namespace liveops::ingest {
namespace {

namespace v2 = io::prometheus::write::v2;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

// A sender of 2.0, as its specification describes one.
class Sender {
 public:
  Sender() { Symbol(""); }
  std::uint32_t Symbol(const std::string& text) {
    const auto [found, fresh] =
        symbols_.emplace(text, static_cast<std::uint32_t>(request.symbols_size()));
    if (fresh) request.add_symbols(text);
    return found->second;
  }
  v2::TimeSeries& Series(const std::vector<std::pair<std::string, std::string>>& labels,
                         v2::Metadata::MetricType type = v2::Metadata::UNSPECIFIED) {
    v2::TimeSeries& series = *request.add_timeseries();
    for (const auto& [name, value] : labels) {
      series.add_labels_refs(Symbol(name));
      series.add_labels_refs(Symbol(value));
    }
    series.mutable_metadata()->set_type(type);
    return series;
  }
  void Sample(v2::TimeSeries& series, double value, std::int64_t time_ms = kNow,
              std::int64_t start_ms = 0) {
    v2::Sample& sample = *series.add_samples();
    sample.set_value(value);
    sample.set_timestamp(time_ms);
    sample.set_start_timestamp(start_ms);
  }

  v2::Request request;

 private:
  std::map<std::string, std::uint32_t> symbols_;
};

class RemoteWrite2 : public Http {
 protected:
  httplib::Result Write(const v2::Request& request) {
    return WriteBytes(request.SerializeAsString());
  }
  httplib::Result WriteBytes(const std::string& message) {
    return Post("/api/v1/write", Snappy(message),
                "application/x-protobuf;proto=io.prometheus.write.v2.Request",
                {{"Content-Encoding", "snappy"}, {"X-Prometheus-Remote-Write-Version", "2.0.0"}});
  }
  static std::string Written(const httplib::Result& answer) {
    std::string out;
    for (const char* what : {"Samples", "Histograms", "Exemplars"}) {
      out +=
          answer->get_header_value(std::string("X-Prometheus-Remote-Write-") + what + "-Written") +
          " ";
    }
    return out;
  }
  v1::MetricBatch Batch() {
    EXPECT_EQ(world_.producer.sent.size(), 1u);
    return world_.producer.sent.empty() ? v1::MetricBatch() : world_.Sent(0).batch();
  }
  // An integer histogram of schema 0: 1 in (0.5, 1], 3 in (1, 2], 2 in (4, 8].
  static v2::Histogram& Fill(v2::Histogram& histogram) {
    histogram.set_count_int(6);
    histogram.set_sum(17);
    histogram.set_timestamp(kNow);
    v2::BucketSpan& first = *histogram.add_positive_spans();
    first.set_offset(0);
    first.set_length(2);
    v2::BucketSpan& second = *histogram.add_positive_spans();
    second.set_offset(1);
    second.set_length(1);
    for (const std::int64_t delta : {1, 2, -1}) histogram.add_positive_deltas(delta);
    return histogram;
  }
};

TEST_F(RemoteWrite2, TheTypeSaysTheKind) {
  Sender sender;
  sender.Sample(sender.Series({{"__name__", "requests"}, {"job", "shop"}}, v2::Metadata::COUNTER),
                5, kNow, kNow - 60'000);
  sender.Sample(sender.Series({{"__name__", "pool_count"}, {"job", "shop"}}, v2::Metadata::GAUGE),
                3, kNow, kNow - 60'000);
  sender.Sample(sender.Series({{"__name__", "items_total"}, {"job", "shop"}}), 2);
  sender.request.mutable_timeseries(2)->set_created_timestamp(kNow - 1000);
  const auto observed = [&](const std::string& name, const std::string& value) {
    v2::Exemplar exemplar;
    exemplar.add_labels_refs(sender.Symbol(name));
    exemplar.add_labels_refs(sender.Symbol(value));
    exemplar.set_value(1);
    exemplar.set_timestamp(kNow);
    sender.request.mutable_timeseries(2)->add_exemplars(exemplar.SerializeAsString());
  };
  observed("trace_id", "5b8efff798038103d269b633813fc60c");
  observed("user", "7");
  sender.request.mutable_timeseries(2)->add_exemplars("\x0a\x02\x7f\x7f");  // of no symbols
  const auto answer = Write(sender.request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 204);
  EXPECT_EQ(Written(answer), "3 0 1 ") << "of the exemplars those with a trace";
  const v1::MetricBatch batch = Batch();
  ASSERT_EQ(batch.series_size(), 3);
  EXPECT_EQ(batch.series(0).kind(), v1::SERIES_KIND_COUNTER_CUMULATIVE);
  EXPECT_EQ(batch.series(1).kind(), v1::SERIES_KIND_GAUGE);
  EXPECT_EQ(batch.series(2).kind(), v1::SERIES_KIND_COUNTER_CUMULATIVE);
  EXPECT_THAT(batch.point_duration_ms(), ElementsAre(60'000, 0, 1000));
  const std::vector<v1::Exemplar> exemplars = world_.Exemplars();
  ASSERT_EQ(exemplars.size(), 1u);
  EXPECT_EQ(exemplars[0].metric(), "items_total");
  EXPECT_EQ(runtime::TraceIdOf(exemplars[0]), "5b8efff798038103d269b633813fc60c");
}

TEST_F(RemoteWrite2, ASeriesIsTheSameWhateverItsSymbolsAreCalled) {
  Sender one;
  one.Sample(one.Series({{"__name__", "cpu"}, {"job", "shop"}, {"zone", "a"}}), 1);
  ASSERT_EQ(Write(one.request)->status, 204);
  Sender other;
  other.Symbol("something else");
  other.Sample(other.Series({{"__name__", "cpu"}, {"job", "shop"}, {"zone", "a"}}), 2, kNow + 1);
  ASSERT_EQ(Write(other.request)->status, 204);
  Sender third;
  third.Sample(third.Series({{"__name__", "cpu"}, {"job", "shop"}, {"zone", "b"}}), 2, kNow + 1);
  ASSERT_EQ(Write(third.request)->status, 204);
  const auto fingerprint = [&](std::size_t i) {
    return world_.Sent(i).batch().series(0).fingerprint_lo();
  };
  EXPECT_EQ(fingerprint(0), fingerprint(1));
  EXPECT_NE(fingerprint(0), fingerprint(2));
}

TEST_F(RemoteWrite2, NativeHistogramsBecomeCountsByBounds) {
  Sender sender;
  v2::TimeSeries& series =
      sender.Series({{"__name__", "latency_seconds"}, {"job", "shop"}}, v2::Metadata::HISTOGRAM);
  Fill(*series.add_histograms()).set_start_timestamp(kNow - 5000);
  v2::Histogram& stale = *series.add_histograms();
  stale.set_sum(std::bit_cast<double>(kStaleMarker));
  stale.set_timestamp(kNow + 1);
  const auto answer = Write(sender.request);
  EXPECT_EQ(answer->status, 204);
  EXPECT_EQ(Written(answer), "1 1 0 ");
  const v1::MetricBatch batch = Batch();
  EXPECT_EQ(batch.series(0).kind(), v1::SERIES_KIND_HISTOGRAM_CUMULATIVE);
  EXPECT_EQ(Labels::Decode(batch.series(0).labels())->ToString(),
            "{native_histogram_schema=\"0\"}");
  ASSERT_EQ(batch.histograms_size(), 1);
  const v1::HistogramPoint& point = batch.histograms(0);
  EXPECT_EQ(point.count(), 6u);
  EXPECT_EQ(point.sum(), 17);
  EXPECT_EQ(point.duration_ms(), 5000u);
  std::map<double, std::uint64_t> by_bound;
  for (int i = 0; i < point.bounds_size(); ++i) {
    if (point.bucket_counts(i) > 0) by_bound[point.bounds(i)] = point.bucket_counts(i);
  }
  EXPECT_EQ(by_bound, (std::map<double, std::uint64_t>{{1, 1}, {2, 3}, {8, 2}}));
}

TEST_F(RemoteWrite2, BadHistogramsAreRefusedAndTheOthersKept) {
  Sender sender;
  v2::TimeSeries& series = sender.Series({{"__name__", "latency"}, {"job", "shop"}});
  Fill(*series.add_histograms());
  Fill(*series.add_histograms()).set_schema(9);
  Fill(*series.add_histograms()).set_reset_hint(v2::Histogram::GAUGE);
  Fill(*series.add_histograms()).mutable_positive_spans(1)->set_length(4'000'000'000);
  Fill(*series.add_histograms()).set_positive_deltas(2, -9);
  Fill(*series.add_histograms()).set_count_int(5);
  Fill(*series.add_histograms()).set_sum(std::numeric_limits<double>::quiet_NaN());
  const auto answer = Write(sender.request);
  EXPECT_EQ(answer->status, 400);
  EXPECT_THAT(answer->body, HasSubstr("bad_histogram (4)"));
  EXPECT_THAT(answer->body, HasSubstr("unsupported (1)"));
  EXPECT_THAT(answer->body, HasSubstr("not_finite (1)"));
  EXPECT_EQ(Written(answer), "0 1 0 ");
  EXPECT_EQ(Batch().histograms_size(), 1);
}

TEST_F(RemoteWrite2, WhatIsNoSuchRequestIsSaid) {
  Sender sender;
  sender.Sample(sender.Series({{"__name__", "cpu"}, {"job", "shop"}}), 1);
  v2::Request odd = sender.request;
  odd.mutable_timeseries(0)->add_labels_refs(0);
  v2::Request nowhere = sender.request;
  nowhere.mutable_timeseries(0)->set_labels_refs(1, 77);
  v2::Request named = sender.request;
  named.set_symbols(0, "x");
  for (const v2::Request& request : {odd, nowhere, named}) {
    const auto answer = Write(request);
    EXPECT_EQ(answer->status, 400);
    EXPECT_THAT(answer->body, HasSubstr("no io.prometheus.write.v2.Request"));
    EXPECT_EQ(Written(answer), "0 0 0 ");
  }
  EXPECT_EQ(world_.producer.count(), 0u);
  EXPECT_EQ(Write({})->status, 204);
}

TEST_F(RemoteWrite2, KafkaAwayWritesNothing) {
  Sender sender;
  sender.Sample(sender.Series({{"__name__", "cpu"}, {"job", "shop"}}), 1);
  world_.producer.mode = FakeProducer::Mode::kFail;
  const auto answer = Write(sender.request);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->get_header_value("Retry-After"), "1");
  EXPECT_EQ(Written(answer), "0 0 0 ");
}

}  // namespace
}  // namespace liveops::ingest
