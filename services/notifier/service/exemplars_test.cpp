#include "services/notifier/service/exemplars.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/notifier/service/compose.h"

namespace liveops::notifier {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::int64_t kNow = 1'770'000'000'000 / 60'000 * 60'000;  // a minute begins

v1::LogBatch Took(const std::vector<double>& values, std::int64_t time_ms = kNow,
                  const std::string& operation = "GET /a", const std::string& service = "shop") {
  v1::LogBatch batch;
  batch.set_service(service);
  for (const double value : values) {
    v1::Exemplar& exemplar = *batch.add_exemplars();
    exemplar.set_time_ms(time_ms);
    exemplar.set_metric("traces.span.metrics.duration");
    exemplar.set_unit("ms");
    exemplar.set_value(value);
    exemplar.set_trace_id("trace of " + std::to_string(static_cast<int>(value)));
    exemplar.add_labels()->set_name("span.name");
    exemplar.mutable_labels(0)->set_value(operation);
  }
  return batch;
}

std::vector<double> Values(const Exemplars& exemplars, std::int64_t from_ms = kNow - 1,
                           std::int64_t until_ms = kNow) {
  std::vector<double> out;
  for (const v1::Exemplar& e : exemplars.Of("shop", from_ms, until_ms)) out.push_back(e.value());
  return out;
}

TEST(Exemplars, TheGreatestOfASeriesAndMinuteAreKept) {
  Exemplars exemplars;
  exemplars.Read(Took({1, 5, 2}));
  exemplars.Read(Took({4, 3}));
  exemplars.Read(Took({7}, kNow + 60'000));
  exemplars.Read(Took({6}, kNow, "GET /b"));
  exemplars.Read(Took({9}, kNow, "GET /a", "bank"));
  EXPECT_THAT(Values(exemplars), UnorderedElementsAre(5, 4, 3, 6));
  EXPECT_THAT(Values(exemplars, kNow, kNow + 60'000), ElementsAre(7));
  EXPECT_THAT(Values(exemplars, kNow, kNow + 59'999), IsEmpty());
}

TEST(Exemplars, OldOnesLeave) {
  Exemplars exemplars;
  exemplars.Read(Took({1}));
  exemplars.Read(Took({2}, kNow + 60'000));
  exemplars.Read(Took({3}, kNow + Exemplars::kKeptMs + 60'000));
  EXPECT_THAT(Values(exemplars, 0, INT64_MAX), ElementsAre(2, 3));
  exemplars.Read(Took({4}));
  EXPECT_THAT(Values(exemplars, 0, INT64_MAX), ElementsAre(2, 3)) << "too old when it came";
}

TEST(Exemplars, AServiceHasSoManySeriesAndAllSoManyExemplars) {
  Exemplars exemplars;
  for (std::size_t i = 0; i <= Exemplars::kSeriesMax; ++i)
    exemplars.Read(Took({1}, kNow, "op " + std::to_string(i)));
  EXPECT_EQ(Values(exemplars).size(), Exemplars::kSeriesMax);
  for (int service = 0; service < 400; ++service) {
    for (int i = 0; i < 200; ++i)
      exemplars.Read(Took({1}, kNow, std::to_string(i), "s" + std::to_string(service)));
  }
  EXPECT_THAT(exemplars.Of("s399", 0, INT64_MAX), IsEmpty()) << "no room";
  exemplars.Read(Took({1}, kNow + Exemplars::kKeptMs + 60'000, "GET /a", "bank"));
  exemplars.Read(Took({8}, kNow + Exemplars::kKeptMs + 60'000));
  EXPECT_THAT(Values(exemplars, 0, INT64_MAX), ElementsAre(8)) << "the old ones made room";
}

TEST(Exemplars, StandOnAPageThatOpensAndOnNoOther) {
  Exemplars exemplars;
  exemplars.Read(Took({612, 30}));
  Registry registry;
  Group group;
  group.service = "shop";
  group.phase = Phase::kFiring;
  group.opening.set_service("shop");
  group.opening.set_state(v1::ALARM_STATE_FIRING);
  group.opening.set_expression("p95(traces.span.metrics.duration) over 1min > 500ms for 0s");
  group.opening.set_window_ms(60'000);
  group.opening.set_since_ms(kNow);
  group.opening.set_clock_ms(kNow);
  NoticeDecision opens;
  EXPECT_THAT(ComposePage(registry, group, opens).traces, IsEmpty()) << "nobody keeps any";
  registry.ShowExemplars(&exemplars);
  const std::vector<PageTrace> traces = ComposePage(registry, group, opens).traces;
  ASSERT_EQ(traces.size(), 2U);
  EXPECT_EQ(traces[0].operation, "GET /a");
  EXPECT_EQ(traces[0].value, "612 ms");
  EXPECT_EQ(traces[0].trace_id, "7472616365206f6620363132");
  EXPECT_EQ(traces[0].time, InstantFromMs(kNow));
  EXPECT_FALSE(traces[0].failed);
  NoticeDecision taken;
  taken.notice = Notice::kAcknowledged;
  EXPECT_THAT(ComposePage(registry, group, taken).traces, IsEmpty());
}

}  // namespace
}  // namespace liveops::notifier
