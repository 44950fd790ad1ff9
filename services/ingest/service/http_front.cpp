#include "services/ingest/service/http_front.h"

#include <future>
#include <string_view>
#include <utility>

#include "common/base/text.h"
#include "common/rpc/certificate_names.h"
#include "common/telemetry/log.h"
#include "services/ingest/codec/otlp.h"
#include "services/ingest/codec/snappy_block.h"

namespace liveops::ingest {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kProtobuf = "application/x-protobuf";

http::Reply Text(int status, std::string_view text) {
  return {status, "text/plain; charset=utf-8", std::string(text) + "\n", {}};
}

http::Reply ToReply(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalid:
      return Text(400, error.message);
    case ErrorCode::kDenied:
      return Text(403, error.message);
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout: {
      http::Reply reply = Text(503, error.message);
      reply.headers.emplace_back("Retry-After", "1");
      return reply;
    }
    default:
      return Text(500, error.message);
  }
}

// In a time that does not say where they differ.
bool SameSecret(std::string_view a, std::string_view b) {
  unsigned differs = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differs |= static_cast<unsigned char>(a[i]) ^
               static_cast<unsigned char>(b.empty() ? '\0' : b[i % b.size()]);
  }
  return differs == 0;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool SameWord(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y;
         });
}

// A media type (RFC 9110, 8.3.1) and its parameter `proto`.
struct MediaType {
  std::string_view type;
  std::string_view proto;
};

MediaType ParseMediaType(std::string_view text) {
  MediaType out;
  out.type = Trim(text.substr(0, text.find(';')));
  while (text.find(';') != std::string_view::npos) {
    text.remove_prefix(text.find(';') + 1);
    std::string_view parameter = Trim(text.substr(0, text.find(';')));
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos || !SameWord(Trim(parameter.substr(0, equals)), "proto"))
      continue;
    out.proto = Trim(parameter.substr(equals + 1));
    if (out.proto.size() >= 2 && out.proto.front() == '"' && out.proto.back() == '"')
      out.proto = out.proto.substr(1, out.proto.size() - 2);
  }
  return out;
}

// Waits for the one answer.
template <typename T>
class Answered {
 public:
  std::function<void(const Result<T>&)> Keep() {
    return [promise = promise_](const Result<T>& result) { promise->set_value(result); };
  }
  Result<T> Wait() { return promise_->get_future().get(); }

 private:
  std::shared_ptr<std::promise<Result<T>>> promise_ = std::make_shared<std::promise<Result<T>>>();
};

}  // namespace

HttpFront::HttpFront(Core& core, HttpSettings settings)
    : settings_(std::move(settings)), remote_writes_(core, settings_.remote_write) {}

Result<std::unique_ptr<HttpFront>> HttpFront::Start(Core& core, HttpSettings settings,
                                                    const rpc::TlsFiles& tls) {
  std::unique_ptr<HttpFront> front(new HttpFront(core, std::move(settings)));
  const HttpSettings& its = front->settings_;
  http::ServerConfig config;
  config.address = its.address;
  config.plain_address = its.plain_address;
  config.ca = tls.ca;
  config.cert = tls.cert;
  config.key = tls.key;
  config.certificate_optional = config.plain_anywhere = !its.tokens.empty();
  config.threads = its.threads;
  config.body_bytes_max = its.message_bytes_max;
  HttpFront* const self = front.get();
  auto server = http::Server::Start(
      config,
      {{"/api/v1/write", [self](const http::Call& call) { return self->RemoteWrite(call); }}});
  if (!server) return server.error();
  front->server_ = *std::move(server);
  return front;
}

const HttpToken* HttpFront::TokenOf(const http::Call& call) const {
  const std::string header = call.header("Authorization");
  if (!std::string_view(header).starts_with(kBearer)) return nullptr;
  const std::string_view shown = Trim(std::string_view(header).substr(kBearer.size()));
  const HttpToken* found = nullptr;
  for (const HttpToken& token : settings_.tokens) {
    if (SameSecret(shown, token.secret)) found = &token;
  }
  return found;
}

std::optional<http::Reply> HttpFront::Identify(const http::Call& call, rpc::Peer& peer) const {
  if (call.caller.verified && !call.caller.common_name.empty()) {
    peer = rpc::PeerOfNames(call.caller.common_name, call.caller.uris);
    if (peer.roles.contains(rpc::Role::kEmitter)) return std::nullopt;
    log::Warn("call_denied", {{"peer", peer.name}, {"role_wanted", "emitter"}});
    return Text(403, "this certificate lacks the role for it: emitter");
  }
  if (settings_.tokens.empty()) {
    peer = {"local", {rpc::Role::kEmitter}};  // of the plain listener, which then is on loopback
    return std::nullopt;
  }
  if (const HttpToken* const token = TokenOf(call)) {
    peer = {token->name, {rpc::Role::kEmitter}, token->services};
    return std::nullopt;
  }
  http::Reply reply = Text(401, "a bearer token or a client certificate is needed");
  reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

http::Reply HttpFront::RemoteWrite(const http::Call& call) {
  rpc::Peer peer;
  if (auto refused = Identify(call, peer)) return *std::move(refused);
  const std::string type_text = call.header("Content-Type");
  const MediaType type = ParseMediaType(type_text);
  if (!SameWord(type.type, kProtobuf) ||
      (!type.proto.empty() && type.proto != "prometheus.WriteRequest")) {
    return Text(415,
                "remote write takes application/x-protobuf, of the message "
                "prometheus.WriteRequest");
  }
  const std::string encoding = call.header("Content-Encoding");
  if (!encoding.empty() && !SameWord(encoding, "snappy"))
    return Text(415, "remote write takes the content encoding snappy");
  const auto length = SnappyLength(call.body);
  if (length && *length > settings_.message_bytes_max) {
    return Text(413, "the body holds " + std::to_string(*length) + " bytes, at most " +
                         std::to_string(settings_.message_bytes_max) + " are allowed");
  }
  const Result<std::string> message = ReadSnappyBlock(call.body, settings_.message_bytes_max);
  if (!message) return ToReply(message.error());
  Answered<RemoteWrites::Answer> answered;
  remote_writes_.Write(RemoteWrites::Version::k1, *message, peer, call.header("traceparent"),
                       answered.Keep());
  const Result<RemoteWrites::Answer> answer = answered.Wait();
  if (!answer) return ToReply(answer.error());
  if (answer->points.rejections.empty()) return {204, "", "", {}};
  // What is not named is in the log.
  return Text(400, RejectionSentence(answer->points.rejections));
}

}  // namespace liveops::ingest
