#include "common/client/batch_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace liveops::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void AddBatches(BatchQueue& queue, int n) {
  for (int i = 0; i < 2 * n; ++i) queue.Add({static_cast<std::uint32_t>(i), 0, 0, 0});
}

std::vector<std::uint64_t> SendAll(BatchQueue& queue) {
  std::vector<std::uint64_t> sequences;
  while (const Batch* batch = queue.Next()) sequences.push_back(batch->sequence);
  return sequences;
}

constexpr BatchQueue::Limits kLimits{.batch_points = 2, .waiting_points = 8, .in_flight = 3};

TEST(BatchQueue, ABatchGoesWhenItIsFullOrClosed) {
  BatchQueue queue(kLimits);
  EXPECT_FALSE(queue.Add({}));
  EXPECT_EQ(queue.Next(), nullptr);
  EXPECT_TRUE(queue.Add({}));
  queue.Add({});
  EXPECT_THAT(SendAll(queue), ElementsAre(1));
  queue.Close();
  queue.Close();
  EXPECT_THAT(SendAll(queue), ElementsAre(2));
  EXPECT_EQ(queue.waiting_points(), 3u);
}

TEST(BatchQueue, NoMoreIsOnItsWayThanMayBe) {
  BatchQueue queue(kLimits);
  AddBatches(queue, 4);
  EXPECT_THAT(SendAll(queue), ElementsAre(1, 2, 3));
  queue.Answered(2);  // in any order
  EXPECT_THAT(SendAll(queue), ElementsAre(4));
  EXPECT_EQ(queue.settled(), 1u);
  queue.Answered(1);
  EXPECT_EQ(queue.settled(), 3u);
  queue.Answered(99);
  queue.Answered(3);
  queue.Answered(4);
  EXPECT_TRUE(queue.idle());
  EXPECT_EQ(queue.waiting_points(), 0u);
  EXPECT_EQ(queue.settled(), 5u);
}

TEST(BatchQueue, OnANewStreamWhatWasNotAnsweredGoesAgainUnderItsSequence) {
  BatchQueue queue(kLimits);
  AddBatches(queue, 3);
  SendAll(queue);
  queue.Answered(2);
  queue.Restart();
  EXPECT_THAT(SendAll(queue), ElementsAre(1, 3));
}

TEST(BatchQueue, TheOldestIsGivenUpButNotWhatMayStandInTheLog) {
  BatchQueue queue(kLimits);
  AddBatches(queue, 2);
  EXPECT_THAT(SendAll(queue), ElementsAre(1, 2));
  AddBatches(queue, 4);  // six of two points each, room for eight points
  EXPECT_EQ(queue.given_up(), 4u);
  queue.Answered(1);
  queue.Answered(2);
  EXPECT_THAT(SendAll(queue), ElementsAre(5, 6));
}

TEST(BatchQueue, TheNewestStaysHoweverLittleRoomThereIs) {
  BatchQueue queue({.batch_points = 2, .waiting_points = 1, .in_flight = 3});
  AddBatches(queue, 3);
  EXPECT_EQ(queue.given_up(), 4u);
  EXPECT_THAT(SendAll(queue), ElementsAre(3));
}

TEST(BatchQueue, TheRefusedOneIsFoundAndDroppedAlone) {
  BatchQueue queue(kLimits);
  AddBatches(queue, 4);
  EXPECT_THAT(SendAll(queue), ElementsAre(1, 2, 3));
  EXPECT_EQ(queue.Refused(), 0u);  // one of the three
  queue.Restart();
  EXPECT_THAT(SendAll(queue), ElementsAre(1));
  queue.Answered(1);
  EXPECT_THAT(SendAll(queue), ElementsAre(2));
  EXPECT_EQ(queue.Refused(), 2u);  // its points
  queue.Restart();
  EXPECT_THAT(SendAll(queue), ElementsAre(3));
  queue.Answered(3);
  EXPECT_THAT(SendAll(queue), ElementsAre(4));
  AddBatches(queue, 1);
  EXPECT_THAT(SendAll(queue), ElementsAre(5));
}

TEST(BatchQueue, ARefusalOfAStreamOnWhichNothingWentDropsNothing) {
  BatchQueue queue(kLimits);
  AddBatches(queue, 1);
  EXPECT_EQ(queue.Refused(), 0u);
  EXPECT_THAT(SendAll(queue), ElementsAre(1));
  EXPECT_EQ(queue.Refused(), 2u);
  EXPECT_THAT(SendAll(queue), IsEmpty());
}

}  // namespace
}  // namespace liveops::client
