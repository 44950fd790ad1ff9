#include "services/ingest/service/slow_spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops::ingest {
namespace {

using testing::ElementsAre;

constexpr SteadyTime kStart{Duration(10'000'000)};

CountedSpan Span(const std::string& operation, double duration_ms, int id,
                 const std::string& service = "shop") {
  CountedSpan span;
  span.service = service;
  span.operation = operation;
  span.trace_id = std::string(15, 't') + static_cast<char>(id);
  span.span_id = std::string(8, 's');
  span.duration_ms = duration_ms;
  return span;
}

std::vector<double> Durations(const SlowSpans& slow, SteadyTime now,
                              const std::string& operation = "", std::size_t each = 5) {
  std::vector<double> out;
  for (const CountedSpan& span : slow.List("shop", operation, each, now))
    out.push_back(span.duration_ms);
  return out;
}

TEST(SlowSpans, KeepsTheSlowestOfEachOperation) {
  SlowSpans slow;
  for (int i = 1; i <= 20; ++i) slow.Offer(Span("a", (i * 8) % 21, i), kStart);
  slow.Offer(Span("b", 3, 1), kStart);
  slow.Offer(Span("b", 3, 1), kStart);  // came before
  slow.Offer(Span("a", 1000, 2, "bank"), kStart);
  CountedSpan nameless = Span("a", 500, 3);
  nameless.trace_id.clear();
  slow.Offer(nameless, kStart);
  EXPECT_THAT(Durations(slow, kStart), ElementsAre(20, 19, 18, 17, 16, 3));
  EXPECT_THAT(Durations(slow, kStart, "b"), ElementsAre(3));
  EXPECT_THAT(Durations(slow, kStart, "", 1), ElementsAre(20, 3));
}

TEST(SlowSpans, ForgetsAfterTwoSlots) {
  SlowSpans slow;
  slow.Offer(Span("a", 100, 1), kStart);
  slow.Offer(Span("a", 50, 2), kStart + SlowSpans::kSlot);
  EXPECT_THAT(Durations(slow, kStart + SlowSpans::kSlot), ElementsAre(100, 50));
  EXPECT_THAT(Durations(slow, kStart + 2 * SlowSpans::kSlot), ElementsAre(50));
  EXPECT_THAT(Durations(slow, kStart + 9 * SlowSpans::kSlot), ElementsAre());
}

TEST(SlowSpans, ManyOperationsTakeNoMoreRoom) {
  SlowSpans slow;
  for (std::size_t i = 0; i < SlowSpans::kOperationsMax + 100; ++i)
    slow.Offer(Span(std::to_string(i), 1, 1), kStart);
  EXPECT_EQ(Durations(slow, kStart).size(), SlowSpans::kOperationsMax);
}

}  // namespace
}  // namespace liveops::ingest
