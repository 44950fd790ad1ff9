#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/http/server.h"
#include "common/rpc/server.h"
#include "services/ingest/service/core.h"
#include "services/ingest/service/remote_writes.h"

namespace liveops::ingest {

// Whoever shows this token ("Authorization: Bearer …") is the emitter of this name.
struct HttpToken {
  std::string name;
  std::string secret;
  std::set<std::string> services;  // that it may write; empty = any
};

struct HttpSettings {
  std::string address;                       // TLS with the files of gRPC's listener; "" = none
  std::string plain_address;                 // "" = none; beyond loopback only with tokens
  int threads = 32;                          // of each listener, one a connection
  std::size_t message_bytes_max = 4u << 20;  // of a request, as it comes and decompressed
  std::vector<HttpToken> tokens;
  RemoteWrites::Settings remote_write;

  bool enabled() const { return !address.empty() || !plain_address.empty(); }
};

// The HTTP face of Core:
//   POST /api/v1/write   Prometheus remote write, 1.0 and 2.0
//   POST /v1/metrics     OTLP/HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp), protobuf
//   and
//                        JSON, plain or gzip
// A caller is whom its certificate names, or whom its token names; where there are no tokens, a
// caller of the plain loopback listener is `local`. Thread-safe.
class HttpFront {
 public:
  // `core` must outlive it. Errors as http::Server::Start.
  static Result<std::unique_ptr<HttpFront>> Start(Core& core, HttpSettings settings,
                                                  const rpc::TlsFiles& tls);
  int port() const { return server_->port(); }
  int plain_port() const { return server_->plain_port(); }
  // Returns when what is under way is answered. Idempotent.
  void Stop() { server_->Stop(); }

 private:
  HttpFront(Core& core, HttpSettings settings);
  // Who calls, or the answer to somebody who may not.
  std::optional<http::Reply> Identify(const http::Call& call, rpc::Peer& peer) const;
  const HttpToken* TokenOf(const http::Call& call) const;
  http::Reply RemoteWrite(const http::Call& call);
  http::Reply WriteMessage(const http::Call& call, RemoteWrites::Version version,
                           const rpc::Peer& peer, RemoteWrites::Answer& written);
  http::Reply Otlp(const http::Call& call);
  http::Reply TooLarge(std::size_t bytes) const;

  Core& core_;
  const HttpSettings settings_;
  RemoteWrites remote_writes_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace liveops::ingest
