#include "services/notifier/service/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/runtime/ownership.h"

namespace liveops::notifier {
namespace {

struct LedgerTest : ::testing::Test {
  std::int64_t Add(const std::string& key, const v1::NotificationRecord& body,
                   std::int64_t epoch = -1) {
    kafka::Record record;
    record.offset = next++;
    record.key = key;
    record.value = body.SerializeAsString();
    if (epoch >= 0) record.headers = runtime::OwnerHeaders(epoch);
    EXPECT_TRUE(ledger.Apply(record));
    return record.offset;
  }
  std::int64_t Claim(const std::string& key, std::uint64_t session = 1) {
    v1::NotificationRecord body;
    body.mutable_claim()->set_owner("x");
    body.mutable_claim()->set_session(session);
    return Add(key, body);
  }
  void Released(const std::string& key, std::int64_t epoch) {
    v1::NotificationRecord body;
    body.mutable_released()->set_owner("x");
    Add(key, body, epoch);
  }
  void Attempt(std::int64_t epoch, std::uint32_t number = 1) {
    v1::NotificationRecord body;
    body.mutable_attempt()->set_group("g");
    body.mutable_attempt()->set_destination("slack:#a");
    body.mutable_attempt()->set_number(number);
    Add("attempt/g/slack:#a", body, epoch);
  }
  void State(std::int64_t epoch) {
    v1::NotificationRecord body;
    body.mutable_state()->set_group("g");
    body.mutable_state()->set_destination("slack:#a");
    Add("state/g/slack:#a", body, epoch);
  }
  const Ledger::Entry& Entry() { return ledger.entries().at({"g", "slack:#a"}); }
  Ledger ledger;
  std::int64_t next = 0;
};

TEST_F(LedgerTest, AnAttemptWithoutAStateDangles) {
  const std::int64_t epoch = Claim("claim/1");
  Attempt(epoch);
  EXPECT_TRUE(Entry().dangling);
  State(epoch);
  EXPECT_FALSE(Entry().dangling);
  Attempt(epoch, 2);
  EXPECT_TRUE(Entry().dangling);
  EXPECT_TRUE(Entry().state);
}

TEST_F(LedgerTest, AZombiesOutcomeIsVoid) {
  const std::int64_t old = Claim("claim/1");
  Attempt(old);
  Claim("claim/2");
  State(old);
  EXPECT_TRUE(Entry().dangling) << "what it wrote after it had lost the partition changes nothing";
  EXPECT_FALSE(Entry().state);
}

TEST_F(LedgerTest, KnowsWhetherTheLastOwnerLetGo) {
  constexpr std::uint64_t kMe = 9;
  const std::int64_t first = Claim("claim/1");
  EXPECT_FALSE(ledger.LeaseMayRun(first, kMe));
  Released("released/1", first);
  const std::int64_t second = Claim("claim/2");
  EXPECT_FALSE(ledger.LeaseMayRun(second, kMe));
  const std::int64_t third = Claim("claim/3", kMe);
  EXPECT_TRUE(ledger.LeaseMayRun(third, kMe)) << "the second never did";
  EXPECT_EQ(ledger.ClaimKey(third), "claim/3");
}

TEST_F(LedgerTest, AnOwnClaimThatWasNotHeardOfIsNobodysLease) {
  constexpr std::uint64_t kMe = 9;
  Claim("claim/1", kMe);
  const std::int64_t second = Claim("claim/2", kMe);
  EXPECT_FALSE(ledger.LeaseMayRun(second, kMe));
  EXPECT_FALSE(ledger.OthersBetween(-1, second, kMe));
  Claim("claim/3");
  Claim("claim/4", kMe);
  const std::int64_t last = Claim("claim/5", kMe);
  EXPECT_TRUE(ledger.LeaseMayRun(last, kMe)) << "the stranger before it may still act";
  EXPECT_TRUE(ledger.OthersBetween(second, last, kMe));
}

// As versions before this one wrote it.
TEST_F(LedgerTest, AReleaseThatCompactionLeftWithoutItsClaimStandsForIt) {
  next = 5;
  Released("claim/1", 3);
  State(2);
  EXPECT_TRUE(ledger.entries().empty()) << "a zombie's";
  const std::int64_t mine = Claim("claim/2");
  EXPECT_FALSE(ledger.LeaseMayRun(mine, 9));
}

TEST_F(LedgerTest, NamesTheKeysWhoseLastRecordIsVoid) {
  const std::int64_t old = Claim("claim/1");
  State(old);
  const std::int64_t current = Claim("claim/2");
  State(old);
  Attempt(old);
  EXPECT_THAT(ledger.voided(),
              ::testing::UnorderedElementsAre("state/g/slack:#a", "attempt/g/slack:#a"));
  State(current);
  EXPECT_THAT(ledger.voided(), ::testing::UnorderedElementsAre("attempt/g/slack:#a"));
}

TEST_F(LedgerTest, AZombiesTombstoneIsVoid) {
  const std::int64_t old = Claim("claim/1");
  State(old);
  Claim("claim/2");
  kafka::Record tombstone;
  tombstone.key = "state/g/slack:#a";
  tombstone.offset = next++;
  tombstone.headers = runtime::OwnerHeaders(old);
  EXPECT_TRUE(ledger.Apply(tombstone));
  EXPECT_TRUE(Entry().state);
  EXPECT_TRUE(ledger.voided().contains("state/g/slack:#a"));
}

TEST_F(LedgerTest, TombstonesForget) {
  const std::int64_t epoch = Claim("claim/1");
  Attempt(epoch);
  State(epoch);
  kafka::Record tombstone;
  tombstone.key = "state/g/slack:#a";
  tombstone.offset = next++;
  EXPECT_TRUE(ledger.Apply(tombstone));
  EXPECT_TRUE(ledger.entries().empty());
}

TEST_F(LedgerTest, BadBytesAreToldApart) {
  kafka::Record record;
  record.key = "x";
  record.value = "\xff\xff";
  EXPECT_FALSE(ledger.Apply(record));
}

}  // namespace
}  // namespace liveops::notifier
