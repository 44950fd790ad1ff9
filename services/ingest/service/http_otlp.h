#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "services/ingest/service/core.h"
#include "services/ingest/service/http_face.h"

namespace liveops::ingest {

// OTLP/HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp) of one signal: protobuf and JSON,
// plain or gzip; answers, failures too, in the encoding of their request.
class OtlpFace : public HttpFace {
 public:
  http::Reply Handle(const http::Call& call, const rpc::Peer& peer) final;
  http::Reply Refuse(const http::Call& call, http::Reply reply) final;

 protected:
  using Response = std::unique_ptr<google::protobuf::Message>;
  explicit OtlpFace(std::size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

 private:
  // A request in its JSON form, in the binary one. kInvalid says what is wrong with it.
  virtual Result<std::string> Binary(std::string_view json) const = 0;
  // Takes a request and waits for the outcome.
  virtual Result<Response> Export(std::string_view request, const rpc::Peer& peer,
                                  const std::string& traceparent) = 0;

  const std::size_t message_bytes_max_;  // decompressed
};

class OtlpMetricsFace final : public OtlpFace {
 public:
  // `core` must outlive it.
  OtlpMetricsFace(Core& core, std::size_t message_bytes_max)
      : OtlpFace(message_bytes_max), core_(core) {}

 private:
  Result<std::string> Binary(std::string_view json) const override;
  Result<Response> Export(std::string_view request, const rpc::Peer& peer,
                          const std::string& traceparent) override;

  Core& core_;
};

}  // namespace liveops::ingest
