#include "integration-tests/promises/overload_senders.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <httplib.h>
#include <snappy.h>

#include "common/base/labels.h"
#include "common/base/time.h"
#include "common/runtime/process.h"
#include "liveops/v1/ingest.grpc.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.grpc.pb.h"
#include "remote_write_1.pb.h"

namespace liveops::promises {
namespace {

namespace collector = opentelemetry::proto::collector::metrics::v1;
using Outcome = OverloadSender::Outcome;

// Longer than any answer may take: an answer is the service's own.
constexpr std::chrono::seconds kDeadline{30};

std::shared_ptr<grpc::Channel> OwnChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

Labels LabelsOf(int series) {
  return Labels(Labels::Pairs{{"instance", "10.0.0.1:8080"}, {"path", fmt::format("/{}", series)}});
}

// Native requests, whose series are spelled or were before.
class NativeRequests {
 public:
  explicit NativeRequests(const std::string& service) {
    request_.mutable_source()->set_emitter("overload");
    v1::MetricBatch& batch = *request_.mutable_batch();
    batch.set_service(service);
    batch.add_strings("hits");
    batch.add_strings("1");
    for (int i = 0; i < OverloadSender::kPoints; ++i) {
      v1::SeriesEntry& series = *batch.add_series();
      series.set_kind(v1::SERIES_KIND_GAUGE);
      series.set_unit(1);
      series.set_labels(LabelsOf(i).Encode());
      batch.add_point_series(static_cast<std::uint32_t>(i));
      batch.add_point_time_delta_ms(0);
      batch.add_point_value(0);
    }
    request_.mutable_source()->set_session(runtime::NewSession());
    known_ = request_;
    known_.mutable_batch()->clear_series();
    known_.mutable_batch()->clear_strings();
  }

  const v1::WriteRequest& Next(std::uint64_t n, bool spelled) {
    v1::WriteRequest& request = spelled ? request_ : known_;
    request.mutable_source()->set_sequence(n);
    v1::MetricBatch& batch = *request.mutable_batch();
    batch.set_base_time_ms(ToMs(WallClockNow()));
    for (int i = 0; i < OverloadSender::kPoints; ++i)
      batch.set_point_value(i, static_cast<double>(n));
    return request;
  }

 private:
  v1::WriteRequest request_;
  v1::WriteRequest known_;
};

Outcome OutcomeOf(const grpc::Status& status, std::string& problem) {
  if (status.ok()) return Outcome::kAcknowledged;
  const bool comes_again = status.error_details().find("google.rpc.RetryInfo") != std::string::npos;
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && comes_again) return Outcome::kLater;
  problem =
      fmt::format("code {}: {}", static_cast<int>(status.error_code()), status.error_message());
  return Outcome::kBroken;
}

class Writer final : public OverloadSender {
 public:
  Writer(const std::string& address, std::string service)
      : OverloadSender(std::move(service)),
        stub_(v1::Ingest::NewStub(OwnChannel(address))),
        requests_(this->service()) {}

  Outcome Send(std::uint64_t n) override {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    v1::WriteResponse response;
    std::string problem;
    const Outcome outcome =
        OutcomeOf(stub_->Write(&context, requests_.Next(n, true), &response), problem);
    if (outcome == Outcome::kBroken) return Broken(problem);
    if (outcome == Outcome::kAcknowledged && response.accepted_points() != kPoints)
      return Broken(fmt::format("of {} points {} were taken", kPoints, response.accepted_points()));
    return outcome;
  }

 private:
  const std::unique_ptr<v1::Ingest::Stub> stub_;
  NativeRequests requests_;
};

// A stream that was refused is opened anew, and spells its series anew.
class SeriesWriter final : public OverloadSender {
 public:
  SeriesWriter(const std::string& address, std::string service)
      : OverloadSender(std::move(service)),
        stub_(v1::Ingest::NewStub(OwnChannel(address))),
        requests_(this->service()) {}
  ~SeriesWriter() override {
    if (!stream_) return;
    stream_->WritesDone();
    (void)stream_->Finish();
  }

  Outcome Send(std::uint64_t n) override {
    const bool fresh = !stream_;
    if (fresh) {
      context_ = std::make_unique<grpc::ClientContext>();
      stream_ = stub_->WriteSeries(context_.get());
    }
    v1::WriteResponse response;
    if (stream_->Write(requests_.Next(n, fresh)) && stream_->Read(&response)) {
      if (response.accepted_points() == kPoints) return Outcome::kAcknowledged;
      return Broken(fmt::format("of {} points {} were taken", kPoints, response.accepted_points()));
    }
    std::string problem;
    const Outcome outcome = OutcomeOf(stream_->Finish(), problem);
    stream_.reset();
    return outcome == Outcome::kLater ? outcome : Broken("the stream ended, " + problem);
  }

 private:
  const std::unique_ptr<v1::Ingest::Stub> stub_;
  NativeRequests requests_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::WriteRequest, v1::WriteResponse>> stream_;
};

class Exporter final : public OverloadSender {
 public:
  Exporter(const std::string& address, std::string service)
      : OverloadSender(std::move(service)),
        stub_(collector::MetricsService::NewStub(OwnChannel(address))) {
    auto& resource = *request_.add_resource_metrics();
    auto& name = *resource.mutable_resource()->add_attributes();
    name.set_key("service.name");
    name.mutable_value()->set_string_value(this->service());
    auto& metric = *resource.add_scope_metrics()->add_metrics();
    metric.set_name("hits");
    for (int i = 0; i < kPoints; ++i) {
      auto& point = *metric.mutable_gauge()->add_data_points();
      for (const auto& [key, value] : LabelsOf(i)) {
        auto& attribute = *point.add_attributes();
        attribute.set_key(key);
        attribute.mutable_value()->set_string_value(value);
      }
    }
  }

  Outcome Send(std::uint64_t n) override {
    const auto now_ns = static_cast<std::uint64_t>(ToMs(WallClockNow())) * 1'000'000;
    for (auto& point : *request_.mutable_resource_metrics(0)
                            ->mutable_scope_metrics(0)
                            ->mutable_metrics(0)
                            ->mutable_gauge()
                            ->mutable_data_points()) {
      point.set_time_unix_nano(now_ns);
      point.set_as_double(static_cast<double>(n));
    }
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    collector::ExportMetricsServiceResponse response;
    std::string problem;
    const Outcome outcome = OutcomeOf(stub_->Export(&context, request_, &response), problem);
    if (outcome == Outcome::kBroken) return Broken(problem);
    if (response.partial_success().rejected_data_points() > 0)
      return Broken(response.partial_success().error_message());
    return outcome;
  }

 private:
  const std::unique_ptr<collector::MetricsService::Stub> stub_;
  collector::ExportMetricsServiceRequest request_;
};

class RemoteWriter final : public OverloadSender {
 public:
  RemoteWriter(const std::string& address, std::string service)
      : OverloadSender(std::move(service)), client_("http://" + address) {
    client_.set_keep_alive(true);
    client_.set_read_timeout(kDeadline);
    for (int i = 0; i < kPoints; ++i) {
      auto& series = *request_.add_timeseries();
      const auto add = [&](const std::string& name, const std::string& value) {
        auto& label = *series.add_labels();
        label.set_name(name);
        label.set_value(value);
      };
      add("__name__", "hits");
      for (const auto& [name, value] : LabelsOf(i)) add(name, value);
      add("service", this->service());
      series.add_samples();
    }
  }

  Outcome Send(std::uint64_t n) override {
    const std::int64_t now_ms = ToMs(WallClockNow());
    for (auto& series : *request_.mutable_timeseries()) {
      series.mutable_samples(0)->set_timestamp(now_ms);
      series.mutable_samples(0)->set_value(static_cast<double>(n));
    }
    const std::string message = request_.SerializeAsString();
    std::string block;
    snappy::Compress(message.data(), message.size(), &block);
    const httplib::Headers headers = {{"Content-Encoding", "snappy"},
                                      {"X-Prometheus-Remote-Write-Version", "0.1.0"}};
    const auto answer = client_.Post("/api/v1/write", headers, block, "application/x-protobuf");
    if (!answer) return Broken("no answer: " + httplib::to_string(answer.error()));
    if (answer->status == 204) return Outcome::kAcknowledged;
    if (answer->status == 503 && answer->has_header("Retry-After")) return Outcome::kLater;
    return Broken(fmt::format("status {}: {}", answer->status, answer->body));
  }

 private:
  httplib::Client client_;
  prometheus::WriteRequest request_;
};

}  // namespace

std::unique_ptr<OverloadSender> WriteSender(const std::string& address, std::string service) {
  return std::make_unique<Writer>(address, std::move(service));
}
std::unique_ptr<OverloadSender> SeriesSender(const std::string& address, std::string service) {
  return std::make_unique<SeriesWriter>(address, std::move(service));
}
std::unique_ptr<OverloadSender> OtlpSender(const std::string& address, std::string service) {
  return std::make_unique<Exporter>(address, std::move(service));
}
std::unique_ptr<OverloadSender> RemoteSender(const std::string& address, std::string service) {
  return std::make_unique<RemoteWriter>(address, std::move(service));
}

}  // namespace liveops::promises
