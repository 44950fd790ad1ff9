#include "deploy/local/sink/alerts.h"

#include <gtest/gtest.h>

namespace liveops::sink {
namespace {

AlertEvent Event(const char* action, const char* key, const char* routing = "r") {
  AlertEvent event;
  event.action = action;
  event.dedup_key = key;
  event.routing_key = routing;
  event.fresh_key = "fresh";
  return event;
}

TEST(AlertBook, ASecondTriggerMergesIntoTheOpenAlert) {
  AlertBook book;
  EXPECT_EQ(book.Apply(Event("trigger", "k")).word, "opened");
  EXPECT_EQ(book.Apply(Event("trigger", "k")).word, "merged");
  EXPECT_EQ(book.Apply(Event("acknowledge", "k")).word, "acknowledged");
  EXPECT_EQ(book.Apply(Event("trigger", "k")).word, "merged");
  ASSERT_EQ(book.alerts().size(), 1u);
  EXPECT_EQ(book.alerts()[0].triggers, 3);
  EXPECT_EQ(book.alerts()[0].state, Alert::State::kAcknowledged);
}

TEST(AlertBook, ATriggerAfterAResolveOpensANewAlert) {
  AlertBook book;
  book.Apply(Event("trigger", "k"));
  EXPECT_EQ(book.Apply(Event("resolve", "k")).word, "resolved");
  EXPECT_EQ(book.Apply(Event("resolve", "k")).word, "dropped");
  const AlertEffect again = book.Apply(Event("trigger", "k"));
  EXPECT_EQ(again.word, "opened");
  EXPECT_EQ(again.alert, 2);
  EXPECT_EQ(book.alerts()[0].state, Alert::State::kResolved);
}

TEST(AlertBook, KeysOfDifferentIntegrationsDoNotMeet) {
  AlertBook book;
  book.Apply(Event("trigger", "k", "one"));
  EXPECT_EQ(book.Apply(Event("resolve", "k", "two")).word, "dropped");
  EXPECT_EQ(book.Apply(Event("trigger", "k", "two")).word, "opened");
}

TEST(AlertBook, ATriggerWithoutAKeyGetsAFreshOne) {
  AlertBook book;
  book.Apply(Event("trigger", ""));
  EXPECT_EQ(book.alerts()[0].dedup_key, "fresh");
}

}  // namespace
}  // namespace liveops::sink
