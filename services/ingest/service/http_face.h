#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/http/server.h"
#include "common/rpc/server.h"

namespace liveops::ingest {

// One way in by HTTP: what answers the requests to a path. Thread-safe; calls block their
// connection's thread until Kafka has acknowledged.
class HttpFace {
 public:
  virtual ~HttpFace() = default;

  // `peer`: who calls; it has the role of an emitter.
  virtual http::Reply Handle(const http::Call& call, const rpc::Peer& peer) = 0;
  // The answer to somebody who may not call: `reply`, which is plain text, in the protocol's form.
  virtual http::Reply Refuse(const http::Call& /*call*/, http::Reply reply) { return reply; }
};

// By path, or for a GET by "GET " and the path, as http::Server::Start has it.
using HttpRoutes = std::map<std::string, std::unique_ptr<HttpFace>>;

}  // namespace liveops::ingest
