#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "common/base/hash.h"
#include "services/rule-evaluation/engine/shard_log.h"

namespace liveops::engine {
namespace {

using testing::kNine;

// Records with numbers, by whatever protocol: each counts once, and of one series in any order.
class Numbered : public testing::ShardLog {
 protected:
  std::vector<Transition> Observe(std::int64_t at, std::uint64_t sequence,
                                  const std::vector<std::int64_t>& times) {
    const SeriesView series{{7, 7}, SeriesKind::kObservation, "took", "ms", {}};
    const std::vector<std::uint32_t> index(times.size());
    const std::vector<double> values(times.size(), 5);
    std::vector<std::int64_t> deltas;
    for (const std::int64_t time : times) deltas.push_back(time - at);
    BatchView batch;
    batch.service = "shop";
    batch.protocol = Protocol::kOtlp;
    batch.base_time_ms = kNine + at;
    batch.series = {&series, 1};
    batch.point_series = index;
    batch.point_time_delta_ms = deltas;
    batch.point_value = values;
    RecordView record;
    record.offset = offset_++;
    record.append_time = RealFromMs(kNine + at);
    record.source = {"ingest-0/spans", 1, sequence};
    record.body = batch;
    std::vector<Transition> out;
    shard_.Apply(record, out);
    return out;
  }
};

TEST_F(Numbered, SpansOfManyProcessesCountInAnyOrderAndOnce) {
  Until(0);
  Plan(0, 1,
       testing::PlanOf(
           "  - {name: busy, when: 'count(took) over 30s > 1000', severity: high, owner: "
           "on-call}"));
  Until(10'000);
  Observe(10'000, 2, {8000, 9000, 9500});
  Observe(10'100, 1, {7000, 9000, 9200});  // overtaken, and older
  Observe(10'200, 2, {8000, 9000, 9500});  // a repeat
  Until(30'000);
  const AlarmView* const busy = Find("shop/busy");
  ASSERT_NE(busy, nullptr);
  EXPECT_EQ(busy->value, 6);
}

}  // namespace
}  // namespace liveops::engine
