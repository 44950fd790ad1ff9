#include "services/ingest/service/http_front.h"

#include <string_view>
#include <utility>

#include "common/rpc/certificate_names.h"
#include "common/telemetry/log.h"
#include "services/ingest/service/http_parts.h"

namespace liveops::ingest {
namespace {

constexpr std::string_view kBearer = "Bearer ";

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

Result<std::unique_ptr<HttpFront>> HttpFront::Start(HttpRoutes routes, HttpSettings settings,
                                                    const rpc::TlsFiles& tls,
                                                    RetryAfter retry_after, Denied denied) {
  std::unique_ptr<HttpFront> front(new HttpFront(std::move(routes), std::move(settings),
                                                 std::move(retry_after), std::move(denied)));
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
  std::map<std::string, http::Handler> handlers;
  for (const auto& [path, face] : front->routes_) {
    handlers.emplace(path, [self = front.get(), face = face.get()](const http::Call& call) {
      return self->Serve(*face, call);
    });
  }
  auto server = http::Server::Start(config, std::move(handlers));
  if (!server) return server.error();
  front->server_ = *std::move(server);
  return front;
}

http::Reply HttpFront::Serve(HttpFace& face, const http::Call& call) const {
  rpc::Peer peer;
  if (auto refused = Identify(call, peer)) {
    denied_(refused->status);
    return face.Refuse(call, *std::move(refused));
  }
  http::Reply reply = face.Handle(call, peer);
  if (reply.status == 503) AddRetryAfter(reply, retry_after_(peer.name));
  return reply;
}

const HttpToken* HttpFront::TokenOf(const http::Call& call, bool& shown_any) const {
  const std::string header = call.header("Authorization");
  const auto basic = ReadBasic(header);
  const bool bearer = std::string_view(header).starts_with(kBearer);
  const std::string firehose = header.empty() ? call.header("X-Amz-Firehose-Access-Key") : "";
  shown_any = basic || bearer || !firehose.empty();
  if (!shown_any) return nullptr;
  const std::string_view shown = basic    ? std::string_view(basic->second)
                                 : bearer ? Trim(std::string_view(header).substr(kBearer.size()))
                                          : std::string_view(firehose);
  const HttpToken* found = nullptr;
  for (const HttpToken& token : settings_.tokens) {
    if (SameSecret(shown, token.secret)) found = &token;
  }
  return found != nullptr && basic && found->name != basic->first ? nullptr : found;
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
  bool shown = false;
  if (const HttpToken* const token = TokenOf(call, shown)) {
    peer = {token->name, {rpc::Role::kEmitter}, token->services};
    return std::nullopt;
  }
  http::Reply reply = Text(
      401, shown ? "this token is not known, or is another name's"
                 : "a token (bearer, or basic with its name) or a client certificate is needed");
  // Some clients (SNS) send no name and password before they are asked, in this way.
  reply.headers.emplace_back("WWW-Authenticate", "Basic realm=\"LiveOps\"");
  reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

}  // namespace liveops::ingest
