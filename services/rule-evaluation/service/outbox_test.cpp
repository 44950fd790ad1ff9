#include "services/rule-evaluation/service/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace liveops::evaluation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class OutboxTest : public testing::Test {
 protected:
  std::vector<std::string> TakeSent() {
    std::vector<std::string> keys;
    for (const Outbox::Item& item : sent_) keys.push_back(item.key);
    last_ = std::move(sent_);
    sent_.clear();
    return keys;
  }

  std::vector<Outbox::Item> sent_;
  std::vector<Outbox::Item> last_;
  Outbox outbox_{[this](const Outbox::Item& item) { sent_.push_back(item); }};
};

TEST_F(OutboxTest, KeepsAnItemUntilItWasReadBack) {
  outbox_.Push("a", "1", "");
  EXPECT_THAT(TakeSent(), ElementsAre("a"));
  outbox_.Acknowledged(last_[0].id, last_[0].attempt, 10);
  EXPECT_EQ(outbox_.size(), 1u);
  outbox_.ReadBack(9);
  EXPECT_EQ(outbox_.size(), 1u);
  outbox_.ReadBack(10);
  EXPECT_TRUE(outbox_.empty());
}

TEST_F(OutboxTest, TheReadBackMayComeBeforeTheAcknowledgement) {
  outbox_.Push("a", "1", "");
  TakeSent();
  outbox_.ReadBack(10);
  EXPECT_FALSE(outbox_.empty());
  outbox_.Acknowledged(last_[0].id, last_[0].attempt, 10);
  EXPECT_TRUE(outbox_.empty());
}

TEST_F(OutboxTest, AFailureIsRepeatedInOrderWithAllBehindIt) {
  for (const char* key : {"a", "b", "c"}) outbox_.Push(key, "", "");
  TakeSent();
  outbox_.Acknowledged(last_[0].id, 1, 10);
  outbox_.Failed(last_[1].id, 1);
  EXPECT_FALSE(outbox_.Retry()) << "c is still on its way";
  outbox_.Push("d", "", "");
  EXPECT_THAT(TakeSent(), IsEmpty()) << "nothing may overtake b";
  outbox_.Acknowledged(3, 1, 11);
  EXPECT_TRUE(outbox_.Retry());
  EXPECT_THAT(TakeSent(), ElementsAre("b", "c", "d"));
  outbox_.ReadBack(11);
  EXPECT_EQ(outbox_.size(), 3u) << "a alone stands in the log for good";
}

TEST_F(OutboxTest, AnswersToFormerAttemptsAreIgnored) {
  outbox_.Push("a", "", "");
  TakeSent();
  outbox_.SendAllAgain();
  EXPECT_THAT(TakeSent(), ElementsAre("a"));
  outbox_.Failed(1, 1);
  EXPECT_FALSE(outbox_.failing());
  outbox_.Acknowledged(1, 1, 5);
  outbox_.ReadBack(100);
  EXPECT_FALSE(outbox_.empty()) << "offset 5 was written under a claim that is void";
  outbox_.Acknowledged(1, 2, 12);
  EXPECT_TRUE(outbox_.empty());
}

TEST_F(OutboxTest, ANewClaimWritesAllThatWasNotReadBack) {
  for (const char* key : {"a", "b", "c"}) outbox_.Push(key, "", "");
  TakeSent();
  outbox_.Acknowledged(1, 1, 10);
  outbox_.Acknowledged(2, 1, 11);
  outbox_.ReadBack(10);
  outbox_.SendAllAgain();
  EXPECT_THAT(TakeSent(), ElementsAre("b", "c"));
  EXPECT_EQ(outbox_.on_its_way(), 2u);
}

}  // namespace
}  // namespace liveops::evaluation
