#include "services/ingest/service/spread_book.h"

#include <algorithm>

namespace liveops::ingest {

Status SpreadBook::Read(const kafka::Record& record) {
  const std::lock_guard lock(mutex_);
  Status taken = spreads_.Take(record);
  any_ = spreads_.any();
  return taken;
}

SpreadBook::Steps SpreadBook::StepsOf(std::string_view service) const {
  if (!any_) return nullptr;
  const std::lock_guard lock(mutex_);
  return spreads_.StepsOf(service);
}

int SpreadBook::WidestOf(std::string_view service) const {
  const Steps steps = StepsOf(service);
  int widest = 1;
  if (steps) {
    for (const SpreadStep& step : *steps) widest = std::max(widest, step.spread);
  }
  return widest;
}

void SpreadBook::ReadToEnd(SteadyTime asked) { read_ = asked; }

bool SpreadBook::Fresh(SteadyTime now) const {
  const SteadyTime read = read_;
  return read != SteadyTime::min() && now - read <= kPlansReadWithin;
}

}  // namespace liveops::ingest
