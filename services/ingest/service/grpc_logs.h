#pragma once

#include <memory>

#include "services/ingest/service/log_intake.h"

namespace grpc {
class Service;
}

namespace liveops::ingest {

// OTLP's LogsService. `logs` must outlive it.
std::unique_ptr<grpc::Service> NewOtlpLogsService(LogIntake& logs, std::size_t message_bytes_max);

}  // namespace liveops::ingest
