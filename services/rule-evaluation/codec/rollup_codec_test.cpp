#include "services/rule-evaluation/codec/rollup_codec.h"

#include <gtest/gtest.h>

namespace liveops::evaluation {
namespace {

TEST(RollupCodec, KeepsEveryField) {
  const engine::Rollup told{"shop", "errors", 0xfedcba9876543210u,  7, 3,
                            true,   9,        std::string("\0x", 2)};
  const auto read = DecodeRollup(EncodeRollup({"evaluator-0", 1, 2}, told, 5), 5);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->service, told.service);
  EXPECT_EQ(read->rule, told.rule);
  EXPECT_EQ(read->digest, told.digest);
  EXPECT_EQ(read->round, told.round);
  EXPECT_EQ(read->part, told.part);
  EXPECT_EQ(read->last, told.last);
  EXPECT_EQ(read->position, told.position);
  EXPECT_EQ(read->content, told.content);
}

TEST(RollupCodec, RefusesWhatIsNone) {
  EXPECT_FALSE(DecodeRollup("\x07?", 5).ok());
  EXPECT_FALSE(DecodeRollup(EncodeRollup({}, {}, 4), 5).ok());
}

}  // namespace
}  // namespace liveops::evaluation
