#include "services/ingest/service/emitter_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops::ingest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Book : public testing::Test {
 protected:
  static SteadyTime At(std::int64_t ms) { return SteadyTime(Duration(1'000'000 + ms)); }
  EmitterBook::Done Follow(const std::string& emitter, std::int64_t at) {
    return book_.Follow({"shop-0", emitter, "native"}, 100, At(at),
                        [this](const Result<WriteAnswer>&) { ++answered_; });
  }
  EmitterEntry Only(std::int64_t at) {
    const auto all = book_.List("", At(at));
    EXPECT_THAT(all, SizeIs(1));
    return all.empty() ? EmitterEntry() : all.front();
  }

  EmitterBook book_;
  int answered_ = 0;
};

TEST_F(Book, CountsWhatBecameOfARequest) {
  WriteAnswer answer{8, {{admit::Refusal::kFuture, 2, "cpu is an hour ahead"}}, {"shop"}};
  Follow("a", 0)(answer);
  Follow("a", 100)(answer);
  Follow("a", 200)(UnavailableError("Kafka is out of reach"));
  EXPECT_EQ(answered_, 3);
  const EmitterEntry e = Only(300);
  EXPECT_EQ(e.requests, 3u);
  EXPECT_EQ(e.bytes, 300u);
  EXPECT_EQ(e.accepted_points, 16u);
  EXPECT_EQ(e.rejections.at(admit::Refusal::kFuture).points, 4u);
  EXPECT_EQ(e.refused_requests, 1u);
  EXPECT_EQ(e.problem, "Kafka is out of reach");
  EXPECT_EQ(e.heard, At(200));
  EXPECT_THAT(e.services, ElementsAre("shop"));
}

TEST_F(Book, ARateIsThatOfTheLastTenSecondsThatAreOver) {
  Follow("a", 0)(WriteAnswer{500, {}, {"shop"}});
  EXPECT_EQ(Only(0).points_per_s, 0);
  EXPECT_EQ(Only(10'000).points_per_s, 50);
  EXPECT_EQ(Only(19'999).points_per_s, 50);
  EXPECT_EQ(Only(20'000).points_per_s, 0);
}

TEST_F(Book, ListsWhoWritesAService) {
  Follow("a", 0)(WriteAnswer{1, {}, {"shop"}});
  Follow("b", 0)(WriteAnswer{2, {}, {"shop", "web"}});
  EXPECT_THAT(book_.List("web", At(0)), SizeIs(1));
  EXPECT_THAT(book_.List("shop", At(0)), SizeIs(2));
  EXPECT_THAT(book_.List("nobody", At(0)), IsEmpty());
}

TEST_F(Book, ForgetsWhoWasHeardLongestAgo) {
  const auto late = Follow("first", 0);
  for (std::size_t i = 1; i <= EmitterBook::kMax; ++i) Follow(std::to_string(i), 1);
  EXPECT_THAT(book_.List("", At(2)), SizeIs(EmitterBook::kMax));
  late(WriteAnswer{1, {}, {"shop"}});  // its sender is answered all the same
  EXPECT_EQ(answered_, 1);
}

TEST_F(Book, NamesAreBoundedAndValid) {
  Follow("\xff" + std::string(1000, 'x'), 0)(InvalidError(std::string(1000, 'y')));
  const EmitterEntry e = Only(0);
  EXPECT_LE(e.name.emitter.size(), 128u + 2);  // the byte that is no text became a sign of three
  EXPECT_LE(e.problem.size(), 300u);
}

}  // namespace
}  // namespace liveops::ingest
