#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "common/base/time.h"
#include "services/ingest/codec/otlp_spans.h"

namespace liveops::ingest {

// The slowest spans of each operation of a service that came to this instance in the last five to
// ten minutes: where to look when its latency alarm fires. Bounded: kEach spans of an operation,
// and kOperationsMax operations; others wait for the next five minutes. Thread-safe.
class SlowSpans {
 public:
  static constexpr std::size_t kEach = 5;
  static constexpr std::size_t kOperationsMax = 5000;
  static constexpr Duration kSlot{300'000};

  // One without valid ids is no use; one that came before stays once.
  void Offer(const CountedSpan& span, SteadyTime now);

  // Of the service, of each operation at most `each`; slowest first. `operation`: only of that; ""
  // = of all.
  std::vector<CountedSpan> List(std::string_view service, std::string_view operation,
                                std::size_t each, SteadyTime now) const;

 private:
  using Key = std::pair<std::string, std::string>;  // service, operation
  using Book = std::map<Key, std::vector<CountedSpan>>;

  void Turn(SteadyTime now) const;

  mutable std::mutex mutex_;
  mutable SteadyTime turned_{};
  mutable Book now_;
  mutable Book before_;  // of the slot before
};

}  // namespace liveops::ingest
