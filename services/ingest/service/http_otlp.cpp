#include "services/ingest/service/http_otlp.h"

#include <google/protobuf/util/json_util.h>

#include <optional>

#include "common/base/text.h"
#include "google/rpc/status.pb.h"
#include "services/ingest/service/http_body.h"

namespace liveops::ingest {
namespace {

constexpr const char* kProtobuf = "application/x-protobuf";
constexpr const char* kJson = "application/json";

// Answers are in the encoding of their requests.
class Answers {
 public:
  explicit Answers(bool json) : json_(json) {}

  http::Reply Message(int status, const google::protobuf::Message& message) const {
    http::Reply reply{status, json_ ? kJson : kProtobuf, "", {}};
    if (!json_) {
      message.SerializeToString(&reply.body);
    } else if (!google::protobuf::util::MessageToJsonString(message, &reply.body).ok()) {
      reply.body = "{}";
    }
    return reply;
  }

  // As the specification wants it: a google.rpc.Status.
  http::Reply Failure(int status, std::string_view why) const {
    google::rpc::Status message;
    message.set_code(RpcCode(status));
    message.set_message(ScrubUtf8(why));
    return Message(status, message);
  }

 private:
  static int RpcCode(int status) {
    switch (status) {
      case 401:
        return 16;  // UNAUTHENTICATED
      case 403:
        return 7;  // PERMISSION_DENIED
      case 503:
        return 14;  // UNAVAILABLE
      case 500:
        return 13;  // INTERNAL
      default:
        return 3;  // INVALID_ARGUMENT
    }
  }

  const bool json_;
};

}  // namespace

http::Reply OtlpFace::Refuse(const http::Call& call, http::Reply refused) {
  const std::string type_text = call.header("Content-Type");
  const Answers answers(SameWord(ParseMediaType(type_text).type, kJson));
  http::Reply reply = answers.Failure(refused.status, Trim(refused.body));
  for (auto& header : refused.headers) reply.headers.push_back(std::move(header));
  return reply;
}

http::Reply OtlpFace::Handle(const http::Call& call, const rpc::Peer& peer) {
  const std::string type_text = call.header("Content-Type");
  const std::string_view type = ParseMediaType(type_text).type;
  const bool json = SameWord(type, kJson);
  const Answers answers(json);
  if (!json && !SameWord(type, kProtobuf))
    return answers.Failure(415,
                           ContentFault("type", type_text) +
                               "; OTLP/HTTP takes application/x-protobuf and application/json");

  const HttpBody read(call, message_bytes_max_);
  if (read.status != 200) return answers.Failure(read.status, read.why);
  std::string_view body = read.text;
  std::string binary;
  if (json) {
    Result<std::string> written = Binary(body);
    if (!written) return answers.Failure(400, written.error().message);
    binary = *std::move(written);
    body = binary;
  }
  const Result<Response> response = Export(body, peer, call.header("traceparent"));
  if (!response)
    return answers.Failure(HttpStatusOf(response.error().code), response.error().message);
  return answers.Message(200, **response);
}

}  // namespace liveops::ingest
