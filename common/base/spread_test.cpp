#include "common/base/spread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

SpreadStep Said(std::int64_t from_ms, int spread) { return {RealFromMs(from_ms), spread}; }

TEST(Spread, OnlyWhatChangedSomethingIsAStep) {
  const std::vector<SpreadStep> said = {Said(10, 1), Said(20, 4), Said(30, 4), Said(40, 8),
                                        Said(50, 1)};
  EXPECT_THAT(SpreadSteps(said), ElementsAre(Said(20, 4), Said(40, 8), Said(50, 1)));
  EXPECT_THAT(SpreadSteps(std::span(said).first(1)), IsEmpty());
  EXPECT_THAT(SpreadSteps({}), IsEmpty());
}

TEST(Spread, ALaterVersionNeverCountsBeforeAnEarlierOne) {
  const std::vector<SpreadStep> said = {Said(50, 4), Said(20, 8)};
  EXPECT_THAT(SpreadSteps(said), ElementsAre(Said(50, 4), Said(50, 8)));
}

}  // namespace
}  // namespace liveops
