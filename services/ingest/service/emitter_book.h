#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/telemetry/metrics.h"
#include "services/ingest/admit/admit.h"
#include "services/ingest/codec/record_writer.h"

namespace liveops::ingest {

struct WriteAnswer {
  std::uint64_t accepted_points = 0;
  std::vector<admit::Rejection> rejections;
  std::vector<std::string> services;      // whose points were accepted
  std::uint64_t accepted_histograms = 0;  // among the points
};

// "native", "otlp", "remote-write", …
const char* ProtocolWord(Protocol protocol);

// Who sends: a certificate's name, what it calls itself (native only, else ""), and by which way.
struct EmitterName {
  std::string identity;
  std::string emitter;
  std::string protocol;  // a ProtocolWord, or "statsd", which the log does not tell from native
  auto operator<=>(const EmitterName&) const = default;
};

// What became of all that one emitter sent to this instance since it started.
struct EmitterEntry {
  static constexpr std::size_t kServicesMax = 16;

  EmitterName name;
  std::set<std::string> services;  // the first kServicesMax that it wrote
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;
  std::uint64_t accepted_points = 0;
  // By reason; never to be sent again.
  std::map<admit::Refusal, admit::Rejection> rejections;
  std::uint64_t refused_requests = 0;    // as a whole: to be sent again, or never
  std::uint64_t over_rate_requests = 0;  // thereof: for the emitter's rate limit
  std::string problem;                   // of the last request that was refused
  SteadyTime heard{};
  double points_per_s = 0;  // accepted, in the last ten seconds that are over
};

// Bounded: beyond kMax emitters the one that was heard longest ago is forgotten. Thread-safe.
class EmitterBook {
 public:
  static constexpr std::size_t kMax = 10'000;
  static constexpr Duration kSlot{10'000};

  using Done = std::function<void(const Result<WriteAnswer>&)>;

  // A request came. `done` with the outcome counted first; it may outlive the call, not the book.
  Done Follow(EmitterName name, std::size_t bytes, SteadyTime now, Done done);

  // The request that is being followed is refused for the emitter's rate limit.
  void OverRate(const EmitterName& name);

  // By name; those that write `service`, "" = all.
  std::vector<EmitterEntry> List(std::string_view service, SteadyTime now) const;
  // The at most `count` that sent most requests; by name.
  std::vector<EmitterEntry> Busiest(std::size_t count) const;
  std::size_t size() const;
  // From a request's arrival to its answer, by protocol.
  std::map<std::string, metrics::Distribution> Durations() const;

 private:
  struct Page {
    EmitterEntry entry;
    std::int64_t slot = 0;  // of kSlot since the clock's beginning,
    std::uint64_t points = 0;
    std::uint64_t before = 0;  // and what the slot before it brought
  };

  void Answered(const EmitterName& name, const Result<WriteAnswer>& result);
  static void Turn(Page& page, SteadyTime now);
  void MakeRoom();
  static EmitterName Tidied(EmitterName name);

  mutable std::mutex mutex_;
  std::map<EmitterName, Page> pages_;
  std::map<std::string, metrics::Seconds> durations_;  // by protocol; never erased
};

}  // namespace liveops::ingest
