#include "services/rule-evaluation/service/acknowledgement_book.h"

#include <gtest/gtest.h>

#include <string>

#include "liveops/v1/alarms.pb.h"
#include "liveops/v1/operations.pb.h"

namespace liveops::evaluation {
namespace {

kafka::Record Ack(const std::string& alarm, std::int64_t episode_ms, const std::string& by) {
  v1::OperationRecord operation;
  v1::Acknowledgement& ack = *operation.mutable_acknowledgement();
  ack.set_alarm_id(alarm);
  ack.set_episode_ms(episode_ms);
  ack.set_by(by);
  kafka::Record record;
  record.value = operation.SerializeAsString();
  return record;
}

// What an answer says of `alarm` in the episode.
std::string Told(const AcknowledgementBook& book, const std::string& alarm,
                 std::int64_t episode_ms) {
  v1::AlarmStatus status;
  status.set_alarm_id(alarm);
  status.set_episode_ms(episode_ms);
  status.set_acknowledged_by("left over");
  book.Fill(status);
  return status.acknowledged_by();
}

TEST(AcknowledgementBook, TheFirstOfAnEpisodeHasIt) {
  AcknowledgementBook book;
  ASSERT_TRUE(book.Read(Ack("s/a", 100, "kim")).ok());
  ASSERT_TRUE(book.Read(Ack("s/a", 100, "lee")).ok());
  EXPECT_EQ(Told(book, "s/a", 100), "kim");
}

TEST(AcknowledgementBook, OnlyTheAcknowledgedEpisodeOfThatAlarmIsTold) {
  AcknowledgementBook book;
  ASSERT_TRUE(book.Read(Ack("s/a", 100, "kim")).ok());
  EXPECT_EQ(Told(book, "s/a", 101), "");
  EXPECT_EQ(Told(book, "s/a", 0), "");  // not open any more
  EXPECT_EQ(Told(book, "s/b", 100), "");
}

TEST(AcknowledgementBook, ANewerEpisodeReplacesTheOlderAndNeverTheReverse) {
  AcknowledgementBook book;
  ASSERT_TRUE(book.Read(Ack("s/a", 100, "kim")).ok());
  ASSERT_TRUE(book.Read(Ack("s/a", 200, "lee")).ok());
  ASSERT_TRUE(book.Read(Ack("s/a", 100, "park")).ok());
  EXPECT_EQ(Told(book, "s/a", 200), "lee");
  EXPECT_EQ(Told(book, "s/a", 100), "");
}

TEST(AcknowledgementBook, WhatCannotBeReadIsToldAndChangesNothing) {
  AcknowledgementBook book;
  ASSERT_TRUE(book.Read(Ack("s/a", 100, "kim")).ok());
  kafka::Record garbage;
  garbage.value = "garbage";
  EXPECT_EQ(book.Read(garbage).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(book.Read(Ack("", 100, "lee")).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(book.Read(Ack("s/a", 0, "lee")).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(Told(book, "s/a", 100), "kim");
  EXPECT_EQ(Told(book, "s/a", 0), "");
}

TEST(AcknowledgementBook, AnOperationOfAnotherKindIsPassedOver) {
  AcknowledgementBook book;
  v1::OperationRecord operation;
  operation.mutable_source()->set_emitter("notifier-0");
  kafka::Record record;
  record.value = operation.SerializeAsString();
  EXPECT_TRUE(book.Read(record).ok());
}

}  // namespace
}  // namespace liveops::evaluation
