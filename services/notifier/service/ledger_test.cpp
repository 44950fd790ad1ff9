#include "services/notifier/service/ledger.h"

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
  std::int64_t Claim(const std::string& key) {
    v1::NotificationRecord body;
    body.mutable_claim()->set_owner("x");
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
  const std::int64_t first = Claim("claim/1");
  EXPECT_FALSE(ledger.HadOwner(first));
  Released("claim/1", first);
  const std::int64_t second = Claim("claim/2");
  EXPECT_TRUE(ledger.HadOwner(second));
  EXPECT_TRUE(ledger.ReleasedBefore(second));
  const std::int64_t third = Claim("claim/3");
  EXPECT_FALSE(ledger.ReleasedBefore(third)) << "the second never did";
  EXPECT_EQ(ledger.ClaimKey(third), "claim/3");
}

TEST_F(LedgerTest, AReleaseThatCompactionLeftWithoutItsClaimStillCounts) {
  Released("claim/1", 0);
  const std::int64_t mine = Claim("claim/2");
  EXPECT_TRUE(ledger.HadOwner(mine));
  EXPECT_TRUE(ledger.ReleasedBefore(mine));
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
