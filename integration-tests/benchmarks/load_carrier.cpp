#include "integration-tests/benchmarks/load_carrier.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <array>
#include <atomic>

#include "common/base/hash.h"
#include "common/kafka/kafka.h"
#include "common/runtime/topics.h"
#include "liveops/v1/ingest.grpc.pb.h"
#include "liveops/v1/metrics.pb.h"

namespace liveops::bench {
namespace {

class StreamCarrier final : public LoadCarrier {
 public:
  explicit StreamCarrier(const std::string& address)
      : ingest_(
            v1::Ingest::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))),
        stream_(ingest_->WriteStream(&context_, &response_)) {}

  bool Send(const v1::WriteRequest& request) override { return stream_->Write(request); }

  Status Finish(std::uint64_t sent) override {
    stream_->WritesDone();
    const grpc::Status status = stream_->Finish();
    if (!status.ok()) return InternalError("the load's stream broke: " + status.error_message());
    if (response_.accepted_points() == sent) return {};
    return InternalError(fmt::format(
        "of {} points {} were taken{}", sent, response_.accepted_points(),
        response_.rejections_size() > 0 ? ": " + response_.rejections(0).reason() : ""));
  }

 private:
  std::unique_ptr<v1::Ingest::Stub> ingest_;
  grpc::ClientContext context_;
  v1::WriteStreamResponse response_;
  std::unique_ptr<grpc::ClientWriter<v1::WriteRequest>> stream_;
};

class TopicCarrier final : public LoadCarrier {
 public:
  TopicCarrier(std::unique_ptr<kafka::Producer> producer, std::int32_t partitions, TimeMap time)
      : partitions_(partitions), time_(time), producer_(std::move(producer)) {}

  bool Send(const v1::WriteRequest& request) override {
    *record_.mutable_source() = request.source();
    v1::MetricBatch& batch = *record_.mutable_batch();
    batch = request.batch();
    batch.set_protocol(v1::PROTOCOL_NATIVE);
    batch.set_base_time_ms(ToMs(time_.ToDomain(RealFromMs(batch.base_time_ms()))));
    record_.SerializeToString(&bytes_);
    producer_->Produce(runtime::topic::kMetrics, PartitionOf(batch.service(), partitions_),
                       batch.service(), bytes_, {}, [this](const Result<kafka::Delivery>& done) {
                         if (!done.ok()) ++lost_;
                       });
    return lost_ == 0;
  }

  Status Finish(std::uint64_t) override {
    if (!producer_->Flush(Duration(10'000)) || lost_ > 0) {
      return InternalError("the broker did not take all records of the load");
    }
    return {};
  }

 private:
  const std::int32_t partitions_;
  const TimeMap time_;
  v1::ShardRecord record_;
  std::string bytes_;
  std::atomic<std::uint64_t> lost_{0};
  std::unique_ptr<kafka::Producer> producer_;  // last: its callbacks count `lost_`
};

void FillFingerprints(v1::MetricBatch& batch) {
  for (v1::SeriesEntry& series : *batch.mutable_series()) {
    const char kind = static_cast<char>(series.kind());
    const std::array<std::string_view, 5> identity = {
        batch.service(), batch.strings(static_cast<int>(series.metric())),
        std::string_view(&kind, 1), batch.strings(static_cast<int>(series.unit())),
        series.labels()};
    const Fingerprint print = FingerprintOf(identity);
    series.set_fingerprint_hi(print.hi);
    series.set_fingerprint_lo(print.lo);
  }
}

}  // namespace

Result<std::unique_ptr<LoadCarrier>> CarryThroughIngest(const std::string& address) {
  return std::unique_ptr<LoadCarrier>(std::make_unique<StreamCarrier>(address));
}

Result<std::unique_ptr<LoadCarrier>> CarryIntoTheLog(stack::Stack& stack,
                                                     std::vector<v1::WriteRequest>& requests) {
  for (v1::WriteRequest& request : requests) FillFingerprints(*request.mutable_batch());
  kafka::Producer::Options options;
  options.gather = Duration(20);
  options.queue_bytes_max = 256u << 20;
  auto producer = kafka::Producer::Create({stack.kafka().address(), "load", {}}, options);
  if (!producer.ok()) return producer.error();
  return std::unique_ptr<LoadCarrier>(std::make_unique<TopicCarrier>(
      *std::move(producer), stack.options().partitions, stack.time_map()));
}

}  // namespace liveops::bench
