#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "liveops/v1/logs.pb.h"
#include "services/notifier/channel/page.h"

namespace liveops::notifier {

// The newest error lines of each service, kept ready for its pages: what is here when a page is
// composed stands on it, and no page waits for one. Thread-safe.
class ErrorLines {
 public:
  static constexpr std::size_t kKept = 3;            // of a service
  static constexpr std::size_t kServicesMax = 1000;  // beyond it others' lines are not kept
  static constexpr Duration kNews{600'000};          // older ones say nothing of what goes on

  void Read(const v1::LogBatch& batch);
  // Oldest first; those of the last kNews before `now` (domain time).
  std::vector<PageLine> Of(std::string_view service, Instant now) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::deque<PageLine>, std::less<>> services_;
};

// How much of a storm is looked at: a second's first bytes. The rest is passed over.
class ReadingPace {
 public:
  static constexpr std::size_t kBytesPerSecond = 8u << 20;

  // Whether a record of so many bytes is beyond what may be read in this second.
  bool TooMuch(std::size_t bytes, SteadyTime now);

 private:
  SteadyTime second_{};
  std::size_t bytes_ = 0;
};

}  // namespace liveops::notifier
