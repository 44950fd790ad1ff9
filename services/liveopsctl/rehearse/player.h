#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "services/rule-evaluation/engine/shard.h"

// A plan under a stream of points, without a server: the shard that rule-evaluation runs, given the
// records that its log would hold. Time is the points' own. Pure.
namespace liveops::rehearse {

struct PlayedPoint {
  std::uint32_t series = 0;  // as AddSeries gave it
  Duration covers{0};        // 0 = not known
  double value = 0;
};

struct PlayedHistogram {
  std::uint32_t series = 0;
  Duration covers{0};
  double sum = 0;
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;  // one more than bounds
};

struct Played {
  std::vector<PlayedPoint> points;
  std::vector<PlayedHistogram> histograms;
  void Clear();
};

class Player {
 public:
  // The plan comes into force at `begin`. Its text has passed plan::Parse.
  Player(std::string service, std::string_view plan_text, Instant begin);
  ~Player();
  Player(Player&&) noexcept;
  Player& operator=(Player&&) noexcept;

  // Lets `length` pass without a point: windows are then wholly known.
  void Settle(Duration length);
  // Another one that stands exactly where this one does.
  Result<Player> Fork() const;

  std::uint32_t AddSeries(engine::SeriesKind kind, std::string_view metric, std::string_view unit,
                          std::string_view labels,         // Labels::Encode
                          std::string_view service = {});  // "" = the plan's own
  // Up to and with `to`; nothing when that has passed.
  void Advance(Instant to);
  // Advances to `at` and gives the points as one batch of that time. Not before a batch that was
  // given.
  void Feed(Instant at, const Played& played);

  // What was told since the last call, in order.
  std::vector<engine::Transition> Take();
  const engine::Shard& shard() const;

 private:
  struct Impl;
  explicit Player(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace liveops::rehearse
