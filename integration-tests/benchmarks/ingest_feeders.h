#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "common/base/result.h"

namespace liveops::bench {

// 100,000 series with 5 attributes, half of them by each of two connections; 1,000 points a
// request, 2,000 by remote write, uncompressed but for that.
inline constexpr int kFeeders = 2;

enum class Way { kStream, kBatch, kOtlp, kRemoteWrite };

// One connection's load.
class Feeder {
 public:
  Feeder(std::string address, int connection, std::atomic<bool>& stop)
      : address_(std::move(address)), connection_(connection), stop_(stop) {}
  virtual ~Feeder() = default;
  // Until `stop`. kInternal: not all was taken.
  virtual Status Run() = 0;
  // Points; any thread.
  std::uint64_t answered() const { return answered_; }

 protected:
  const std::string address_;
  const int connection_;
  std::atomic<bool>& stop_;
  std::atomic<std::uint64_t> answered_{0};
};

// `address`: of a listener without TLS, for that way in. `connection`: its number; its points are
// of a service of its own.
std::unique_ptr<Feeder> NewFeeder(Way way, const std::string& address, int connection,
                                  std::atomic<bool>& stop);

}  // namespace liveops::bench
