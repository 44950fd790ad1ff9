#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/base/hash.h"
#include "common/base/time.h"
#include "services/ingest/admit/admit.h"
#include "services/ingest/service/emitter_book.h"

namespace liveops::ingest {

// Which exports came, so that one that is sent again counts once. Its records carry numbers of this
// book; an export that was not acknowledged, but may stand in the log, gets the same ones again, by
// which the log's readers know the repeat. They remember 1024 numbers; beyond kReuseMax of them a
// repeat gets new ones, so that at worst it counts twice and never gets lost.
//
// It knows what came to this instance in the last kKept, at most kMax of them: an export that is
// sent again to another instance, or later, counts again. Thread-safe.
class ExportBook {
 public:
  static constexpr Duration kKept{600'000};
  static constexpr std::size_t kMax = 50'000;
  static constexpr std::uint64_t kReuseMax = 512;

  // An export of so many records. One that was taken is answered as the first time.
  struct Sent {
    enum class State : std::uint8_t { kNew, kUnderWay, kTaken } state = State::kNew;
    std::uint64_t first = 0;                   // of kNew: the number of its first record, ≥ 1
    std::vector<admit::Rejection> rejections;  // of kTaken
  };
  Sent Begin(const Fingerprint& request, std::uint64_t records, SteadyTime now);
  // What became of one that was begun as kNew.
  void End(const Fingerprint& request, const Result<WriteAnswer>& result);

  std::size_t size() const;

 private:
  struct Entry {
    Sent::State state = Sent::State::kNew;  // kNew: not acknowledged
    std::uint64_t first = 0;
    std::uint64_t records = 0;
    std::vector<admit::Rejection> rejections;
  };

  void Forget(SteadyTime now);

  mutable std::mutex mutex_;
  std::uint64_t next_ = 1;
  std::unordered_map<Fingerprint, Entry, FingerprintHash> entries_;
  std::deque<std::pair<SteadyTime, Fingerprint>> order_;  // when each first came
};

}  // namespace liveops::ingest
