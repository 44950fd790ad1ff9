#include "services/ingest/service/http_traces.h"

#include <utility>

#include "services/ingest/codec/otlp_json.h"
#include "services/ingest/codec/otlp_response.h"
#include "services/ingest/service/http_parts.h"

namespace liveops::ingest {

Result<std::string> OtlpTracesFace::Binary(std::string_view json) const {
  return OtlpTracesOfJson(json);
}

Result<OtlpFace::Response> OtlpTracesFace::Export(std::string_view request, const rpc::Peer& peer,
                                                  const std::string& traceparent) {
  Answered<WriteAnswer> answered;
  spans_.Export(request, peer, traceparent, answered.Keep());
  const Result<WriteAnswer> answer = answered.Wait();
  if (!answer) return answer.error();
  auto response = OtlpTracesResponse(answer->rejections);
  return Response(std::make_unique<decltype(response)>(std::move(response)));
}

}  // namespace liveops::ingest
