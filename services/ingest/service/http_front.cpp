#include "services/ingest/service/http_front.h"

#include <string_view>
#include <utility>

#include "common/base/text.h"
#include "common/rpc/certificate_names.h"
#include "common/telemetry/log.h"
#include "services/ingest/codec/otlp.h"
#include "services/ingest/codec/snappy_block.h"
#include "services/ingest/service/http_parts.h"

namespace liveops::ingest {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kProtobuf = "application/x-protobuf";
constexpr std::string_view kMessage1 = "prometheus.WriteRequest";
constexpr std::string_view kMessage2 = "io.prometheus.write.v2.Request";

// In a time that does not say where they differ.
bool SameSecret(std::string_view a, std::string_view b) {
  unsigned differs = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differs |= static_cast<unsigned char>(a[i]) ^
               static_cast<unsigned char>(b.empty() ? '\0' : b[i % b.size()]);
  }
  return differs == 0;
}

}  // namespace

HttpFront::HttpFront(Core& core, HttpSettings settings)
    : core_(core), settings_(std::move(settings)), remote_writes_(core, settings_.remote_write) {}

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
      {{"/api/v1/write", [self](const http::Call& call) { return self->RemoteWrite(call); }},
       {"/v1/metrics", [self](const http::Call& call) { return self->Otlp(call); }}});
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
  const bool first = type.proto.empty() || type.proto == kMessage1;
  if (!SameWord(type.type, kProtobuf) || (!first && type.proto != kMessage2)) {
    return Text(415,
                "remote write takes application/x-protobuf, of the message "
                "prometheus.WriteRequest or io.prometheus.write.v2.Request");
  }
  RemoteWrites::Answer written;
  http::Reply reply = WriteMessage(
      call, first ? RemoteWrites::Version::k1 : RemoteWrites::Version::k2, peer, written);
  if (first) return reply;
  // Of 2.0: a sender compares them with what it sent. A stale marker did its work.
  const std::uint64_t histograms = written.points.accepted_histograms;
  const std::uint64_t samples = written.points.accepted_points - histograms + written.stale_markers;
  const auto add = [&](const char* what, std::uint64_t count) {
    reply.headers.emplace_back(std::string("X-Prometheus-Remote-Write-") + what + "-Written",
                               std::to_string(count));
  };
  add("Samples", samples);
  add("Histograms", histograms);
  add("Exemplars", 0);
  return reply;
}

http::Reply HttpFront::WriteMessage(const http::Call& call, RemoteWrites::Version version,
                                    const rpc::Peer& peer, RemoteWrites::Answer& written) {
  const std::string encoding = call.header("Content-Encoding");
  if (!encoding.empty() && !SameWord(encoding, "snappy"))
    return Text(415, "remote write takes the content encoding snappy");
  const auto length = SnappyLength(call.body);
  if (length && *length > settings_.message_bytes_max) return TooLarge(*length);
  const Result<std::string> message = ReadSnappyBlock(call.body, settings_.message_bytes_max);
  if (!message) return ToReply(message.error());
  Answered<RemoteWrites::Answer> answered;
  remote_writes_.Write(version, *message, peer, call.header("traceparent"), answered.Keep());
  const Result<RemoteWrites::Answer> answer = answered.Wait();
  if (!answer) return ToReply(answer.error());
  written = *answer;
  if (written.points.rejections.empty()) return {204, "", "", {}};
  return Text(400, RejectionSentence(written.points.rejections));
}

http::Reply HttpFront::TooLarge(std::size_t bytes) const {
  return Text(413, "the body holds " + std::to_string(bytes) + " bytes, at most " +
                       std::to_string(settings_.message_bytes_max) + " are allowed");
}

}  // namespace liveops::ingest
