#pragma once

#include "services/ingest/service/http_otlp.h"
#include "services/ingest/service/span_intake.h"

namespace liveops::ingest {

class OtlpTracesFace final : public OtlpFace {
 public:
  // `spans` must outlive it.
  OtlpTracesFace(SpanIntake& spans, std::size_t message_bytes_max)
      : OtlpFace(message_bytes_max), spans_(spans) {}

 private:
  Result<std::string> Binary(std::string_view json) const override;
  Result<Response> Export(std::string_view request, const rpc::Peer& peer,
                          const std::string& traceparent) override;

  SpanIntake& spans_;
};

}  // namespace liveops::ingest
