#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "integration-tests/benchmarks/engine/population.h"
#include "services/rule-evaluation/codec/decoder.h"
#include "services/rule-evaluation/engine/shard.h"

namespace liveops::bench {

// User and system time of the calling thread, in seconds.
double ThreadCpuSeconds();

// More than any population here needs.
inline constexpr engine::ShardLimits kLimits = {
    .series_max = 4'000'000, .groups_max = 1'000'000, .groups_of_rule_max = 1'000'000};

// A population's log on its way through decoder and engine, on the calling thread, as an owner of a
// shard applies it.
class EngineRun {
 public:
  explicit EngineRun(const PopulationOptions& options);

  // Feeds the opening, then so much time.
  void Warm(Duration length);
  // Makes the next records; apart from Feed, for it is not what is measured.
  void Prepare() { records_ = population_.NextStep(); }
  // What Prepare made. Gives the thread's CPU seconds.
  double Feed();
  // Likewise, but no further than the decoder.
  double DecodeOnly();
  // Feeds on until a round of rollups was told of all rules that have any.
  struct Rolled {
    int parts = 0;
    double bytes = 0;
    double longest_s = 0;  // CPU seconds of a record that a part was told with
  };
  Rolled FeedUntilRolledUp();
  void DropRecords() { records_ = {}; }

  std::int64_t points_fed() const { return points_; }
  std::int64_t series() const { return population_.series(); }
  engine::Shard& shard() { return shard_; }
  // "" as long as every record was read, every point counted and nothing fired beyond svc-0; what
  // went wrong otherwise.
  const std::string& fault() const { return fault_; }
  // How often an alarm of svc-0 fired.
  int fired() const { return fired_; }

 private:
  void Check();

  Population population_;
  evaluation::Decoder decoder_;
  engine::Shard shard_;
  std::vector<LogRecord> records_;
  std::vector<engine::Transition> transitions_;
  std::int64_t offset_ = 0;
  std::int64_t points_ = 0;
  int fired_ = 0;
  std::string fault_;
};

}  // namespace liveops::bench
