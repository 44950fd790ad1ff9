#include "services/ingest/service/export_book.h"

#include <gtest/gtest.h>

namespace liveops::ingest {
namespace {

using State = ExportBook::Sent::State;

constexpr SteadyTime kStart{Duration(1'000'000)};

TEST(ExportBook, WhatWasTakenIsAnsweredAgainAndNotWritten) {
  ExportBook book;
  const auto first = book.Begin({1, 1}, 2, kStart);
  EXPECT_EQ(first.state, State::kNew);
  EXPECT_EQ(first.first, 1u);
  EXPECT_EQ(book.Begin({1, 1}, 2, kStart).state, State::kUnderWay);
  WriteAnswer answer;
  answer.rejections.push_back({admit::Refusal::kFuture, 3, "x"});
  book.End({1, 1}, answer);
  const auto again = book.Begin({1, 1}, 2, kStart);
  EXPECT_EQ(again.state, State::kTaken);
  ASSERT_EQ(again.rejections.size(), 1u);
  EXPECT_EQ(again.rejections[0].points, 3u);
  EXPECT_EQ(book.Begin({1, 2}, 1, kStart).first, 3u);
}

TEST(ExportBook, WhatMayStandInTheLogKeepsItsNumbersWhileTheyAreRemembered) {
  ExportBook book;
  EXPECT_EQ(book.Begin({1, 1}, 2, kStart).first, 1u);
  book.End({1, 1}, UnavailableError("no acknowledgement"));
  EXPECT_EQ(book.Begin({2, 2}, 3, kStart).first, 3u);
  EXPECT_EQ(book.Begin({1, 1}, 2, kStart).first, 1u);
  book.End({1, 1}, UnavailableError("no acknowledgement"));
  EXPECT_EQ(book.Begin({1, 1}, 4, kStart).first, 6u) << "laid out otherwise it is another";
  book.End({1, 1}, UnavailableError("no acknowledgement"));
  for (std::uint64_t i = 0; i < ExportBook::kReuseMax; ++i) book.Begin({3, i}, 1, kStart);
  EXPECT_GT(book.Begin({1, 1}, 4, kStart).first, 500u) << "rather twice than never";
}

TEST(ExportBook, ForgetsByTimeAndByNumber) {
  ExportBook book;
  book.Begin({1, 1}, 1, kStart);
  book.End({1, 1}, WriteAnswer());
  EXPECT_EQ(book.Begin({1, 1}, 1, kStart + ExportBook::kKept).state, State::kTaken);
  EXPECT_EQ(book.Begin({1, 1}, 1, kStart + ExportBook::kKept + Duration(1)).state, State::kNew);
  for (std::uint64_t i = 0; i < ExportBook::kMax + 10; ++i)
    book.Begin({2, i}, 1, kStart + ExportBook::kKept + Duration(1));
  EXPECT_LE(book.size(), ExportBook::kMax + 1);
}

}  // namespace
}  // namespace liveops::ingest
