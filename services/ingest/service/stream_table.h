#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "services/ingest/admit/series_table.h"
#include "services/ingest/service/core.h"

namespace liveops::ingest {

// The series that one stream has spelled so far. It owns their bytes, which the core counts over
// all streams. One thread at a time.
class StreamTable {
 public:
  StreamTable(Core& core, const rpc::Peer& peer) : core_(core), peer_(peer) {}
  ~StreamTable() { core_.ForgetSeries(bytes_); }
  StreamTable(const StreamTable&) = delete;
  StreamTable& operator=(const StreamTable&) = delete;

  // The strings and series of a request. kDenied: the sender may not write its service; kInvalid:
  // it is of another service, or a stream has no room for so many series; kUnavailable: the open
  // streams together have none. The points of a request that fails are told as refused.
  Status Add(const admit::BatchInput& batch);

  std::string_view service() const { return service_; }  // of the first request
  admit::SeriesTable& series() { return *table_; }

 private:
  Status Keep(const admit::BatchInput& batch);

  Core& core_;
  const rpc::Peer& peer_;
  std::string service_;
  std::optional<admit::SeriesTable> table_;
  std::deque<std::string> kept_;
  std::size_t bytes_ = 0;
};

}  // namespace liveops::ingest
