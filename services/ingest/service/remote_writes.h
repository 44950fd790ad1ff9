#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/rpc/server.h"
#include "services/ingest/codec/prom_types.h"
#include "services/ingest/codec/remote_write.h"
#include "services/ingest/service/core.h"

namespace liveops::ingest {

// Prometheus' remote write as points: the first of the labels that are listed and not empty names
// the service (and is then no label any more), `__name__` the metric. What a sender has spelled
// once is known from then on by its bytes. An exemplar of a classic histogram is kept as one of all
// its buckets: its value says in which it lies. Thread-safe.
class RemoteWrites {
 public:
  struct Settings {
    std::vector<std::string> service_labels = {"service", "job"};
    std::size_t series_max = 500'000;  // that are remembered of a sender; beyond, it begins anew
    PromTypes::Settings types;
  };
  struct Answer {
    WriteAnswer points;
    std::uint64_t stale_markers = 0;  // series that are over: no points
    std::uint64_t exemplars = 0;      // with a trace, that were taken: for pages, no points
  };
  using Done = std::function<void(const Result<Answer>&)>;
  enum class Version { k1, k2 };

  // `core` must outlive it.
  RemoteWrites(Core& core, Settings settings);
  ~RemoteWrites();

  // `message`: a WriteRequest, out of its Snappy block; of that version. Errors and when `done`
  // runs are as with Core.
  void Write(Version version, std::string_view message, const rpc::Peer& peer,
             std::string_view traceparent, const Done& done);

 private:
  class Sender;
  Sender& SenderOf(const rpc::Peer& peer);
  std::unique_ptr<RemoteWriteRequest> Borrow();
  void Return(std::unique_ptr<RemoteWriteRequest> request);

  Core& core_;
  const Settings settings_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Sender>> senders_;  // by the peer's name
  std::vector<std::unique_ptr<RemoteWriteRequest>> idle_;
};

}  // namespace liveops::ingest
