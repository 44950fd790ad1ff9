#pragma once

#include <mutex>
#include <set>
#include <string>

#include "services/ingest/service/core.h"
#include "services/ingest/service/http_face.h"
#include "services/ingest/service/http_settings.h"

namespace liveops::ingest {

// CloudWatch's metric streams, as Amazon Data Firehose delivers them: docs/cloudwatch.md.
//
// A delivery counts once, whichever instance each of its attempts comes to: its id is the session
// of its records, by which the log's readers know a repeat for an hour.
class CloudWatchFace final : public HttpFace {
 public:
  // `core` must outlive it.
  CloudWatchFace(Core& core, const HttpSettings& settings)
      : core_(core), settings_(settings.cloudwatch), bytes_max_(settings.message_bytes_max) {}
  http::Reply Handle(const http::Call& call, const rpc::Peer& peer) override;
  http::Reply Refuse(const http::Call& call, http::Reply reply) override;

 private:
  static constexpr std::size_t kNamesMax = 1000;  // unmapped ones that are logged, each once

  void LogNew(const std::set<std::string>& unmapped);

  Core& core_;
  const cloudwatch::TranslatorSettings settings_;
  const std::size_t bytes_max_;  // decompressed
  std::mutex mutex_;
  std::set<std::string> logged_;
};

}  // namespace liveops::ingest
