#include "services/ingest/codec/otlp_json.h"

#include <google/protobuf/util/json_util.h>

#include "common/base/text.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"

namespace liveops::ingest {

Result<std::string> OtlpOfJson(std::string_view json) {
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest request;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), &request, options);
  if (status.ok()) return request.SerializeAsString();
  return InvalidError("the body is not an ExportMetricsServiceRequest in JSON: " +
                      ScrubUtf8(Truncate(status.message().ToString(), 200)));
}

}  // namespace liveops::ingest
