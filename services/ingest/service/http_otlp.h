#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "services/ingest/service/core.h"
#include "services/ingest/service/http_face.h"
#include "services/ingest/service/http_parts.h"

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

// Of the signal that `Intake` takes: Core, SpanIntake or LogIntake.
template <typename Intake>
class OtlpSignalFace final : public OtlpFace {
 public:
  // `intake` must outlive it; the functions are of the signal's codec.
  template <typename Respond>
  OtlpSignalFace(Intake& intake, std::size_t message_bytes_max,
                 Result<std::string> (*binary)(std::string_view json), Respond respond)
      : OtlpFace(message_bytes_max),
        intake_(intake),
        binary_(binary),
        respond_([respond](const std::vector<admit::Rejection>& rejections) {
          using Message = decltype(respond(rejections));
          return Response(std::make_unique<Message>(respond(rejections)));
        }) {}

 private:
  Result<std::string> Binary(std::string_view json) const override { return binary_(json); }

  Result<Response> Export(std::string_view request, const rpc::Peer& peer,
                          const std::string& traceparent) override {
    Answered<WriteAnswer> answered;
    intake_.Export(request, peer, traceparent, answered.Keep());
    const Result<WriteAnswer> answer = answered.Wait();
    if (!answer) return answer.error();
    return respond_(answer->rejections);
  }

  Intake& intake_;
  Result<std::string> (*const binary_)(std::string_view json);
  const std::function<Response(const std::vector<admit::Rejection>&)> respond_;
};

}  // namespace liveops::ingest
