#include "services/notifier/service/error_lines.h"

#include <chrono>
#include <utility>

namespace liveops::notifier {

void ErrorLines::Read(const v1::LogBatch& batch) {
  const std::lock_guard lock(mutex_);
  auto kept = services_.find(batch.service());
  for (const v1::LogRecord& line : batch.records()) {
    if (line.level() < v1::LOG_LEVEL_ERROR) continue;
    if (kept == services_.end()) {
      if (services_.size() >= kServicesMax) return;
      kept = services_.emplace(batch.service(), std::deque<PageLine>()).first;
    }
    std::deque<PageLine>& lines = kept->second;
    lines.push_back({InstantFromMs(line.time_ms()), line.endpoint(), line.message()});
    if (lines.size() > kKept) lines.pop_front();
  }
}

std::vector<PageLine> ErrorLines::Of(std::string_view service, Instant now) const {
  std::vector<PageLine> out;
  const std::lock_guard lock(mutex_);
  const auto kept = services_.find(service);
  if (kept == services_.end()) return out;
  for (const PageLine& line : kept->second) {
    if (now - line.time <= kNews) out.push_back(line);
  }
  return out;
}

bool ReadingPace::TooMuch(std::size_t bytes, SteadyTime now) {
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    bytes_ = 0;
  }
  bytes_ += bytes;
  return bytes_ > kBytesPerSecond;
}

}  // namespace liveops::notifier
