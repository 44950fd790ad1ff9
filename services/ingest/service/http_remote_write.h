#pragma once

#include <cstddef>

#include "services/ingest/service/http_face.h"
#include "services/ingest/service/http_settings.h"
#include "services/ingest/service/remote_writes.h"

namespace liveops::ingest {

// Prometheus remote write, 1.0 (https://prometheus.io/docs/specs/prw/remote_write_spec/) and 2.0
// (https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/).
class RemoteWriteFace : public HttpFace {
 public:
  RemoteWriteFace(Core& core, const HttpSettings& settings)
      : message_bytes_max_(settings.message_bytes_max),
        remote_writes_(core, settings.remote_write) {}
  http::Reply Handle(const http::Call& call, const rpc::Peer& peer) override;

 private:
  http::Reply WriteMessage(const http::Call& call, RemoteWrites::Version version,
                           const rpc::Peer& peer, RemoteWrites::Answer& written);

  const std::size_t message_bytes_max_;  // decompressed
  RemoteWrites remote_writes_;
};

}  // namespace liveops::ingest
