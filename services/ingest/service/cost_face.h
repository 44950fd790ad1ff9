#pragma once

#include <mutex>

#include "services/ingest/service/core.h"
#include "services/ingest/service/http_face.h"
#include "services/ingest/service/http_settings.h"

namespace liveops::ingest {

// Reports of costs and usage, posted as CSV: docs/cost.md.
class CostFace final : public HttpFace {
 public:
  // `core` must outlive it.
  CostFace(Core& core, const HttpSettings& settings)
      : core_(core), settings_(settings.cost), bytes_max_(settings.cost_report_bytes_max) {}
  http::Reply Handle(const http::Call& call, const rpc::Peer& peer) override;

 private:
  Core& core_;
  const cost::ReportSettings settings_;
  const std::size_t bytes_max_;  // decompressed
  std::mutex one_;               // a report is large: one at a time is in memory
};

}  // namespace liveops::ingest
