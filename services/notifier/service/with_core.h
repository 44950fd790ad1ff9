#pragma once

#include "services/notifier/service/service.h"

// Private to this folder: the present time, and the one way events reach the core.
namespace liveops::notifier {

Duration BootClock();
Now PresentNow();
void WriteLog(const LogLine& line);

template <typename Event>
void NotifierService::WithCore(Event event) {
  std::vector<LogLine> lines;
  bool earlier = false;
  {
    const std::lock_guard lock(mutex_);
    CarryOut(event(core_), lines);
    const auto wake = core_.NextWake();
    earlier = wake && planned_wake_ && *wake < *planned_wake_;
  }
  if (earlier) timer_.notify_all();
  changed_.notify_all();
  for (const LogLine& line : lines) WriteLog(line);
}

}  // namespace liveops::notifier
