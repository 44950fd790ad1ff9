#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "common/telemetry/metrics.h"
#include "services/ingest/service/core.h"

namespace liveops::ingest {

// LiveOps watches itself with itself: what an instance of ingest counts becomes samples of the
// service `liveops`, which are admitted and written like anybody's. deploy/plans/liveops.yaml
// judges them. Counters go as increases since what the log has; what is not answered goes again
// under its sequence, so nothing is lost and nothing counts twice. There is one batch at a time, of
// as many series as the instance has counters, whatever becomes of it: it cannot feed itself.
// Thread-safe.
class SelfWatch {
 public:
  static constexpr const char* kService = "liveops";

  // `core` must outlive it, and it must outlive the core's producer. `session` is its own.
  SelfWatch(Core& core, std::uint64_t session, SteadyTime now)
      : core_(core), session_(session), reported_at_(now) {}

  // Writes what has changed, or again what was not answered; nothing while an answer is awaited.
  void Report(SteadyTime now);

 private:
  struct Batch;
  using Key = std::pair<std::string, metrics::Labels>;

  std::shared_ptr<Batch> Make(SteadyTime now);
  void Answered(const Batch& batch, const Result<WriteAnswer>& result);

  Core& core_;
  const std::uint64_t session_;
  std::mutex mutex_;
  std::uint64_t sequence_ = 0;
  std::shared_ptr<Batch> pending_;
  bool awaited_ = false;
  std::map<Key, double> reported_;  // totals of the counters that the log has
  SteadyTime reported_at_;
};

}  // namespace liveops::ingest
