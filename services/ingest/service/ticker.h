#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "services/ingest/service/core.h"

namespace liveops::ingest {

// Ticks go to every partition through the same queue as the batches, so that a tick in the log
// proves that samples written before it are in the log too. Their delivery reports are ingest's
// clock.
class Ticker {
 public:
  // What has to stand in the log before a tick; `goodbye`: before the last one.
  using Before = std::function<void(SteadyTime now, bool goodbye)>;

  explicit Ticker(Core& core, Before before = nullptr) : core_(core), before_(std::move(before)) {}
  ~Ticker() { Stop(); }

  // One tick to every partition, now. Thread-safe.
  void TickOnce(SteadyTime now, bool goodbye);

  void Start();  // every 250 ms from now on
  void Stop();   // idempotent; no goodbye
  // Stops, and says goodbye to every partition: this instance will not be missed.
  void Leave();

 private:
  void Run();
  void GiveBack(std::int32_t partition, const Refusals& told, const Error& why);

  Core& core_;
  const Before before_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace liveops::ingest
