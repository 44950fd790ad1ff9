#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/kafka/kafka.h"
#include "common/plan/parse.h"
#include "common/runtime/ownership.h"
#include "services/rule-evaluation/service/plan_library.h"

namespace liveops::evaluation {

struct Applied {
  std::string service;
  std::uint64_t version = 0;
  bool unchanged = false;
  std::vector<plan::Problem> problems;  // not empty: nothing was written
  // Not the version that was expected: nothing was written. `version` is the newest, 0 = there is
  // none; and this is that one, without its text.
  bool unexpected = false;
  StoredPlan newest;
  int spread = 1;
  RealTime spread_from{};  // event time, where this version changes the spread; else epoch
};

// Puts a plan into plans.v1 under the next version: "applied" says that it stands in the library;
// the shard's owner puts it into force after that. Two replicas may try at once: each reads its
// record back, and of two of one version the first in log order counts; the loser writes the
// winner's again (compaction keeps the last of a key) and, unless it expected a certain version,
// takes the next one. Thread-safe.
class PlanApplier {
 public:
  static constexpr std::size_t kTextMax = 512 << 10;

  // `partitions`: of metrics.v1.
  PlanApplier(kafka::Producer& producer, runtime::Writer& writer, PlanLibrary& library,
              std::int32_t partitions)
      : producer_(producer), writer_(writer), library_(library), partitions_(partitions) {}

  // What there is to say against applying it.
  plan::ParseResult Check(const std::string& text) const {
    return plan::ParseNew(text, partitions_);
  }

  // `expected_version`: of the newest before this one, 0 = there must be none; without it, whatever
  // it is. kUnavailable: nothing was written; kConflict: neither, since others keep applying;
  // kTimeout: it may count, and applying the same text again is harmless.
  Result<Applied> Apply(const std::string& text, std::optional<std::uint64_t> expected_version,
                        const std::string& applied_by);

 private:
  Result<std::int64_t> Write(const StoredPlan& plan);

  kafka::Producer& producer_;
  runtime::Writer& writer_;
  PlanLibrary& library_;
  const std::int32_t partitions_;
  // One application of a service's plan at a time in this process; those of others, which wait for
  // their own records, are not held up (services share a mutex by chance).
  std::array<std::mutex, 64> mutexes_;
};

}  // namespace liveops::evaluation
