#pragma once

#include <functional>
#include <memory>

#include "common/base/time.h"

namespace liveops::ctl {

// Ctrl-C (and SIGTERM) for commands that run until then. Thread-safe.
class Interrupt {
 public:
  virtual ~Interrupt() = default;
  // Waits up to `timeout`; true once interrupted.
  virtual bool WaitFor(Duration timeout) = 0;
  // `action` runs once when the interrupt comes, on another thread; or now when it came before. An
  // empty one unbinds.
  virtual void Bind(std::function<void()> action) = 0;
};

// Blocks both signals in the calling thread and in all that it starts later, and waits for them on
// a thread of its own; so make it before anything that starts threads.
std::unique_ptr<Interrupt> WatchSignals();

}  // namespace liveops::ctl
