#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "common/base/labels.h"
#include "common/base/result.h"

namespace liveops::bench {

struct RemoteWriterOptions {
  std::string address;  // of ingest's HTTP listener
  std::string service;
  int series = 0;  // in requests of `points`, again and again
  int points = 0;
  std::function<Labels(int series)> labels;
};

// Writes as Prometheus does, by remote write 1.0, one request after the other, until `stop`; adds
// to `answered`.
Status WriteRemotely(const RemoteWriterOptions& options, const std::atomic<bool>& stop,
                     std::atomic<std::uint64_t>& answered);

}  // namespace liveops::bench
