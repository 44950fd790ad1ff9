#include "services/ingest/service/grpc_logs.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include "opentelemetry/proto/collector/logs/v1/logs_service.grpc.pb.h"
#include "services/ingest/service/raw_export.h"

namespace liveops::ingest {
namespace {

using opentelemetry::proto::collector::logs::v1::LogsService;

class OtlpLogsService final
    : public LogsService::WithRawCallbackMethod_Export<LogsService::Service> {
 public:
  OtlpLogsService(LogIntake& logs, std::size_t bytes_max) : logs_(logs), bytes_max_(bytes_max) {}

  grpc::ServerUnaryReactor* Export(grpc::CallbackServerContext* context,
                                   const grpc::ByteBuffer* buffer,
                                   grpc::ByteBuffer* response) override {
    return ExportRaw(*context, *buffer, bytes_max_, response, logs_, OtlpLogsResponse);
  }

 private:
  LogIntake& logs_;
  const std::size_t bytes_max_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewOtlpLogsService(LogIntake& logs, std::size_t message_bytes_max) {
  return std::make_unique<OtlpLogsService>(logs, message_bytes_max);
}

}  // namespace liveops::ingest
