// A sender of remote write 2.0, made after its specification, since Debian's Prometheus speaks 1.0
// alone: its counters with types and its native histograms page, and resolve.
#include <httplib.h>
#include <snappy.h>

#include <cmath>
#include <map>

#include "integration-tests/remote-write/ground.h"
#include "remote_write_2.pb.h"

namespace liveops {
namespace {

namespace v2 = io::prometheus::write::v2;

constexpr const char* kPlan = R"(service: shop
phase: 1
owners:
  on-call: {title: On-call Engineer, slack: "#oncall"}
metrics:
  latency: {distribution: latency_seconds, unit: s}
alarms:
  - {name: slow, when: "p95(latency_seconds) over 5s > 500ms", severity: critical, owner: on-call}
  - {name: busy, when: "rate(requests) over 5s > 150/s", severity: critical, owner: on-call}
)";

// A program's counters, scraped each second and written at once.
class Sender {
 public:
  explicit Sender(const std::string& address) : client_("http://" + address) {
    client_.set_keep_alive(true);
  }

  // So many observations of this latency in the second that is over. Says what was answered.
  httplib::Result Write(int requests, double latency_s) {
    total_ += requests;
    sum_ += requests * latency_s;
    buckets_[static_cast<std::int64_t>(std::ceil(std::log2(latency_s) * 8))] += requests;
    const std::int64_t now_ms = ToMs(WallClockNow());
    v2::Request request;
    request.add_symbols("");
    v2::TimeSeries& counter = Series(request, "requests", v2::Metadata::COUNTER);
    v2::Sample& sample = *counter.add_samples();
    sample.set_value(static_cast<double>(total_));
    sample.set_timestamp(now_ms);
    sample.set_start_timestamp(start_ms_);
    Fill(*Series(request, "latency_seconds", v2::Metadata::HISTOGRAM).add_histograms(), now_ms);
    std::string block;
    const std::string message = request.SerializeAsString();
    snappy::Compress(message.data(), message.size(), &block);
    return client_.Post(
        "/api/v1/write",
        {{"Content-Encoding", "snappy"}, {"X-Prometheus-Remote-Write-Version", "2.0.0"}}, block,
        "application/x-protobuf;proto=io.prometheus.write.v2.Request");
  }

 private:
  static v2::TimeSeries& Series(v2::Request& request, const char* name,
                                v2::Metadata::MetricType type) {
    v2::TimeSeries& series = *request.add_timeseries();
    for (const char* text : {"__name__", name, "instance", "a:1", "job", "shop"}) {
      series.add_labels_refs(static_cast<std::uint32_t>(request.symbols_size()));
      request.add_symbols(text);
    }
    series.mutable_metadata()->set_type(type);
    return series;
  }
  void Fill(v2::Histogram& histogram, std::int64_t now_ms) const {
    histogram.set_count_int(static_cast<std::uint64_t>(total_));
    histogram.set_sum(sum_);
    histogram.set_schema(3);
    histogram.set_zero_threshold(1e-128);
    histogram.set_timestamp(now_ms);
    histogram.set_start_timestamp(start_ms_);
    std::int64_t next = 0;
    std::int64_t last = 0;
    for (const auto& [index, count] : buckets_) {
      v2::BucketSpan& span = *histogram.add_positive_spans();
      span.set_offset(static_cast<std::int32_t>(index - next));
      span.set_length(1);
      histogram.add_positive_deltas(count - last);
      next = index + 1;
      last = count;
    }
  }

  httplib::Client client_;
  const std::int64_t start_ms_ = ToMs(WallClockNow());
  std::int64_t total_ = 0;
  double sum_ = 0;
  std::map<std::int64_t, std::int64_t> buckets_;
};

using Sender2 = RemoteWriteGround;

TEST_F(Sender2, ItsHistogramsPageAndResolve) {
  Apply(kPlan);
  const std::set<std::string> all = {"slow", "busy"};
  Sender sender(http_address());
  const auto write = [&](int seconds, int requests, double latency_s, auto until) {
    for (int i = 0; i < seconds && !until(); ++i) {
      const auto answer = sender.Write(requests, latency_s);
      ASSERT_TRUE(answer);
      ASSERT_EQ(answer->status, 204) << answer->body;
      EXPECT_EQ(answer->get_header_value("X-Prometheus-Remote-Write-Samples-Written"), "1");
      EXPECT_EQ(answer->get_header_value("X-Prometheus-Remote-Write-Histograms-Written"), "1");
      std::this_thread::sleep_for(Duration(1000));
    }
  };
  write(20, 100, 0.1, [] { return false; });
  EXPECT_EQ(Told(false, all).size(), 0u) << "nothing is wrong yet";
  write(60, 300, 0.8, [&] { return Told(false, all) == all; });
  EXPECT_EQ(Told(false, all), all);
  write(90, 100, 0.1, [&] { return Told(true, all) == all; });
  EXPECT_EQ(Told(true, all), all);
}

}  // namespace
}  // namespace liveops
