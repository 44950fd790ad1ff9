#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/http/server.h"
#include "common/rpc/server.h"
#include "services/ingest/service/http_face.h"
#include "services/ingest/service/http_settings.h"

namespace liveops::ingest {

// The listeners of all ways in by HTTP. A caller is whom its certificate names, or whom its token
// names; where there are no tokens, a caller of the plain loopback listener is `local`. Who is
// nobody, or no emitter, is refused before its path's face is asked. Thread-safe.
class HttpFront {
 public:
  // After how long a caller of that name is to come again.
  using RetryAfter = std::function<Duration(const std::string&)>;
  // A caller was refused, with this status.
  using Denied = std::function<void(int)>;

  // Errors as http::Server::Start.
  static Result<std::unique_ptr<HttpFront>> Start(HttpRoutes routes, HttpSettings settings,
                                                  const rpc::TlsFiles& tls, RetryAfter retry_after,
                                                  Denied denied);
  int port() const { return server_->port(); }
  int plain_port() const { return server_->plain_port(); }
  // Returns when what is under way is answered. Idempotent.
  void Stop() { server_->Stop(); }

 private:
  HttpFront(HttpRoutes routes, HttpSettings settings, RetryAfter retry_after, Denied denied)
      : settings_(std::move(settings)),
        routes_(std::move(routes)),
        retry_after_(std::move(retry_after)),
        denied_(std::move(denied)) {}
  http::Reply Serve(HttpFace& face, const http::Call& call) const;
  // Who calls, or the answer to somebody who may not.
  std::optional<http::Reply> Identify(const http::Call& call, rpc::Peer& peer) const;
  // `shown`: whether it came with one at all, which then may be none of ours.
  const HttpToken* TokenOf(const http::Call& call, bool& shown) const;

  const HttpSettings settings_;
  const HttpRoutes routes_;
  const RetryAfter retry_after_;
  const Denied denied_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace liveops::ingest
