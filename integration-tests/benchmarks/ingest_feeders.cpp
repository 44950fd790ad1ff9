#include "integration-tests/benchmarks/ingest_feeders.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <thread>
#include <vector>

#include "common/base/labels.h"
#include "common/base/time.h"
#include "integration-tests/benchmarks/remote_writer.h"
#include "liveops/v1/ingest.grpc.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.grpc.pb.h"

namespace liveops::bench {
namespace {

namespace collector = opentelemetry::proto::collector::metrics::v1;

constexpr int kSeries = 100'000;
constexpr int kPoints = 1'000;
constexpr int kRequests = kSeries / kPoints / kFeeders;  // of a connection, before they repeat
constexpr std::size_t kInFlight = 8;  // requests of a connection that wait for their answer

std::string ServiceOf(int connection) { return fmt::format("bench-{}", connection); }

Labels LabelsOf(int series) {
  return Labels(Labels::Pairs{{"instance", fmt::format("10.0.{}.{}:8080", series % 40, series % 7)},
                              {"region", "eu-west-1"},
                              {"env", "prod"},
                              {"endpoint", fmt::format("/api/v1/resource-{}", series)},
                              {"code", "200"}});
}

// Request number `n` of a connection; `spelled`: it spells its series.
v1::WriteRequest NativeRequest(int connection, int n, bool spelled, bool stream_ids) {
  v1::WriteRequest request;
  request.mutable_source()->set_emitter("bench");
  request.mutable_source()->set_session(static_cast<std::uint64_t>(connection) + 1);
  v1::MetricBatch& batch = *request.mutable_batch();
  batch.set_service(ServiceOf(connection));
  if (spelled && (!stream_ids || n == 0)) {
    batch.add_strings("http_requests");
    batch.add_strings("1");
  }
  for (int i = 0; i < kPoints; ++i) {
    if (spelled) {
      v1::SeriesEntry& series = *batch.add_series();
      series.set_kind(v1::SERIES_KIND_GAUGE);
      series.set_unit(1);
      series.set_labels(LabelsOf(n * kPoints + i).Encode());
    }
    batch.add_point_series(static_cast<std::uint32_t>(stream_ids ? n * kPoints + i : i));
    batch.add_point_time_delta_ms(0);
    batch.add_point_value(i * 0.37);
  }
  return request;
}

std::shared_ptr<grpc::Channel> OwnChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// Series spelled once, then by their index; answers are read by a thread of their own.
class StreamFeeder final : public Feeder {
 public:
  StreamFeeder(const std::string& address, int connection, std::atomic<bool>& stop, bool ids)
      : Feeder(address, connection, stop), channel_(OwnChannel(address)), ids_(ids) {}

  Status Run() override {
    std::vector<v1::WriteRequest> requests;
    for (int n = 0; n < kRequests; ++n)
      requests.push_back(NativeRequest(connection_, n, !ids_, ids_));
    const auto stub = v1::Ingest::NewStub(channel_);
    return ids_ ? RunSeries(*stub, requests) : RunBatches(*stub, requests);
  }

 private:
  v1::WriteRequest& Prepare(v1::WriteRequest& request) {
    request.mutable_source()->set_sequence(++sequence_);
    request.mutable_batch()->set_base_time_ms(ToMs(WallClockNow()));
    return request;
  }

  Status RunSeries(v1::Ingest::Stub& stub, std::vector<v1::WriteRequest>& requests) {
    grpc::ClientContext context;
    const auto stream = stub.WriteSeries(&context);
    std::atomic<std::uint64_t> answers{0};
    std::thread reader([&] {
      v1::WriteResponse response;
      while (stream->Read(&response)) {
        answered_ += response.accepted_points();
        ++answers;
        answers.notify_one();
      }
      answers = UINT64_MAX;
      answers.notify_one();
    });
    for (int n = 0; n < kRequests; ++n) {
      v1::WriteRequest spelled = NativeRequest(connection_, n, true, true);
      if (!stream->Write(Prepare(spelled))) break;
    }
    bool open = true;
    while (!stop_ && open) {
      for (std::uint64_t a = answers; a != UINT64_MAX && sequence_ - a >= kInFlight; a = answers)
        answers.wait(a);
      open = answers != UINT64_MAX &&
             stream->Write(Prepare(requests[sequence_ % static_cast<std::uint64_t>(kRequests)]));
    }
    stream->WritesDone();
    reader.join();
    const grpc::Status status = stream->Finish();
    return status.ok() ? Status() : InternalError("the stream broke: " + status.error_message());
  }

  // This way in has one answer, at its end; ingest reads on while at most 32 are on their way.
  Status RunBatches(v1::Ingest::Stub& stub, std::vector<v1::WriteRequest>& requests) {
    grpc::ClientContext context;
    v1::WriteStreamResponse response;
    const auto stream = stub.WriteStream(&context, &response);
    std::uint64_t sent = 0;
    bool open = true;
    while (!stop_ && open) {
      open = stream->Write(Prepare(requests[sequence_ % static_cast<std::uint64_t>(kRequests)]));
      sent += kPoints;
      answered_ = sent;
    }
    stream->WritesDone();
    const grpc::Status status = stream->Finish();
    if (!status.ok()) return InternalError("the stream broke: " + status.error_message());
    if (response.accepted_points() == sent) return {};
    return InternalError(
        fmt::format("of {} points {} were taken", sent, response.accepted_points()));
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const bool ids_;
  std::uint64_t sequence_ = 0;
};

// Exports as a collector does: each request by itself, some at a time.
class OtlpFeeder final : public Feeder {
 public:
  OtlpFeeder(const std::string& address, int connection, std::atomic<bool>& stop)
      : Feeder(address, connection, stop), channel_(OwnChannel(address)) {}

  Status Run() override {
    std::vector<std::thread> threads;
    std::vector<Status> outcomes(kInFlight);
    for (std::size_t k = 0; k < kInFlight; ++k)
      threads.emplace_back([this, k, &outcomes] { outcomes[k] = Export(k); });
    for (std::thread& thread : threads) thread.join();
    for (const Status& outcome : outcomes) {
      if (!outcome.ok()) return outcome;
    }
    return {};
  }

 private:
  static collector::ExportMetricsServiceRequest Request(int connection, int n) {
    collector::ExportMetricsServiceRequest request;
    auto& resource = *request.add_resource_metrics();
    auto& name = *resource.mutable_resource()->add_attributes();
    name.set_key("service.name");
    name.mutable_value()->set_string_value(ServiceOf(connection));
    auto& metric = *resource.add_scope_metrics()->add_metrics();
    metric.set_name("http_requests");
    metric.set_unit("1");
    for (int i = 0; i < kPoints; ++i) {
      auto& point = *metric.mutable_gauge()->add_data_points();
      for (const auto& [key, value] : LabelsOf(n * kPoints + i)) {
        auto& attribute = *point.add_attributes();
        attribute.set_key(key);
        attribute.mutable_value()->set_string_value(value);
      }
      point.set_as_double(i * 0.37);
    }
    return request;
  }

  Status Export(std::size_t k) {
    const auto stub = collector::MetricsService::NewStub(channel_);
    std::vector<collector::ExportMetricsServiceRequest> requests;
    for (int n = static_cast<int>(k); n < kRequests; n += static_cast<int>(kInFlight))
      requests.push_back(Request(connection_, n));
    for (std::size_t n = 0; !stop_; ++n) {
      auto& request = requests[n % requests.size()];
      const auto now_ns = static_cast<std::uint64_t>(ToMs(WallClockNow())) * 1'000'000;
      for (auto& point : *request.mutable_resource_metrics(0)
                              ->mutable_scope_metrics(0)
                              ->mutable_metrics(0)
                              ->mutable_gauge()
                              ->mutable_data_points()) {
        point.set_time_unix_nano(now_ns);
      }
      grpc::ClientContext context;
      collector::ExportMetricsServiceResponse response;
      const grpc::Status status = stub->Export(&context, request, &response);
      if (!status.ok()) return InternalError("an export failed: " + status.error_message());
      if (response.partial_success().rejected_data_points() > 0)
        return InternalError("points were refused: " + response.partial_success().error_message());
      answered_ += kPoints;
    }
    return {};
  }

  const std::shared_ptr<grpc::Channel> channel_;
};

// 2,000 points a request, as Prometheus sends at most.
class RemoteFeeder final : public Feeder {
 public:
  using Feeder::Feeder;

  Status Run() override {
    return WriteRemotely(
        {address_, ServiceOf(connection_), kSeries / kFeeders, 2 * kPoints, LabelsOf}, stop_,
        answered_);
  }
};

}  // namespace

std::unique_ptr<Feeder> NewFeeder(Way way, const std::string& address, int connection,
                                  std::atomic<bool>& stop) {
  switch (way) {
    case Way::kStream:
    case Way::kBatch:
      return std::make_unique<StreamFeeder>(address, connection, stop, way == Way::kStream);
    case Way::kOtlp:
      return std::make_unique<OtlpFeeder>(address, connection, stop);
    case Way::kRemoteWrite:
      return std::make_unique<RemoteFeeder>(address, connection, stop);
  }
  return nullptr;
}

}  // namespace liveops::bench
