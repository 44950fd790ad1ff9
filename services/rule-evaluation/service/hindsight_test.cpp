#include "services/rule-evaluation/service/hindsight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "common/base/labels.h"
#include "common/runtime/ownership.h"
#include "common/runtime/topics.h"
#include "liveops/v1/metrics.pb.h"
#include "services/rule-evaluation/codec/decoder.h"
#include "services/rule-evaluation/service/past_answer.h"

namespace liveops::evaluation {
namespace {

namespace topic = runtime::topic;
using engine::AlarmState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kBegin = 1'800'000'000'000;
constexpr const char* kPlan = R"(service: shop
alarms:
  - {name: hot, when: last(cpu) > 90 for 1min, page: false}
  - {name: hot-pods, when: last(cpu) by pod > 90 for 1min, page: false}
  - {name: slow, when: avg(cpu) over 1h > 99 for 1h, keep_firing: 2h, page: false}
  - {name: more, when: last(cpu) over 1min > 150% compared to 1d ago, page: false}
  - {name: dark, when: last(light) < 1, page: false}
)";
const std::int32_t kPartition = PartitionOf("shop", 16);

// What a broker holds of the two topics, and what the shard's owner wrote when the samples came.
class World {
 public:
  World() {
    Put(topic::kAlarms, "claim/1", EncodeClaim({}, "owner", 0), {});
    v1::ShardRecord record;
    record.mutable_plan()->set_service("shop");
    record.mutable_plan()->set_version(1);
    record.mutable_plan()->set_text(kPlan);
    Judge(0, record);
    Put(topic::kAlarms, "plan/shop",
        EncodePlanInForce({}, {"shop", 1, kPlan, kPartition, 0, At(0), "kim"}),
        runtime::OwnerHeaders(0));
  }
  static Instant At(std::int64_t ms) { return InstantFromMs(kBegin + ms); }

  // The gauge's reading each second, with its ticks, up to `to`.
  void Run(std::int64_t to, double cpu) {
    for (; now_ < to; now_ += 250) {
      v1::ShardRecord tick;
      tick.mutable_tick()->set_instance("i");
      tick.mutable_tick()->set_session(1);
      tick.mutable_tick()->set_steady_ms(now_);
      tick.mutable_tick()->set_accepting(true);
      Judge(now_, tick);
      if (now_ % 1000 == 0) Judge(now_, Reading(cpu));
    }
  }
  // As retention does.
  void Forget(std::int64_t before) { low_ = before; }
  void Say(const engine::Transition& t, std::int64_t epoch) {
    Put(topic::kAlarms, t.alarm_id, EncodeTransition({}, t, kPartition),
        runtime::OwnerHeaders(epoch));
  }

  std::map<std::string, std::vector<kafka::Record>> logs;
  std::vector<engine::Transition> told;
  std::int64_t low_ = 0;

 private:
  v1::ShardRecord Reading(double cpu) {
    v1::ShardRecord record;
    record.mutable_source()->set_emitter("e");
    record.mutable_source()->set_session(1);
    record.mutable_source()->set_sequence(++sequence_);
    v1::MetricBatch& batch = *record.mutable_batch();
    batch.set_service("shop");
    batch.set_protocol(v1::PROTOCOL_NATIVE);
    batch.add_strings("cpu");
    batch.add_strings("1");
    v1::SeriesEntry& series = *batch.add_series();
    series.set_fingerprint_hi(1);
    series.set_fingerprint_lo(2);
    series.set_kind(v1::SERIES_KIND_GAUGE);
    series.set_metric(0);
    series.set_unit(1);
    Labels labels;
    labels.Set("pod", "a");
    series.set_labels(labels.Encode());
    batch.set_base_time_ms(kBegin + now_);
    batch.add_point_series(0);
    batch.add_point_time_delta_ms(0);
    batch.add_point_value(cpu);
    return record;
  }
  void Judge(std::int64_t at, const v1::ShardRecord& message) {
    kafka::Record& record = Put(topic::kMetrics, "k", message.SerializeAsString(), {});
    record.append_time = RealFromMs(kBegin + at);
    std::vector<engine::Transition> told_now;
    const auto view = decoder_.Decode(record.offset, record.append_time, record.value);
    ASSERT_TRUE(view.ok()) << view.error().message;
    owner_.Apply(**view, told_now);
    for (engine::Transition& t : told_now) {
      Say(t, 0);
      told.push_back(std::move(t));
    }
  }
  kafka::Record& Put(const std::string& to, const std::string& key, const std::string& value,
                     const std::vector<kafka::Header>& headers) {
    std::vector<kafka::Record>& log = logs[to];
    kafka::Record record;
    record.topic = to;
    record.partition = kPartition;
    record.offset = std::ssize(log);
    record.key = key;
    record.value = value;
    record.headers = headers;
    log.push_back(std::move(record));
    return log.back();
  }

  engine::Shard owner_{TimeMap{}, {}};
  Decoder decoder_;
  std::int64_t now_ = 250;
  std::uint64_t sequence_ = 0;
};

class Reader final : public kafka::AssignedConsumer {
 public:
  explicit Reader(World& world) : world_(world) {}
  Status Assign(const std::vector<kafka::PartitionOffset>& partitions) override {
    topic_.clear();
    if (partitions.empty()) return {};
    EXPECT_EQ(partitions.front().partition, kPartition);
    topic_ = partitions.front().topic;
    next_ = std::max<std::int64_t>(Low(topic_), partitions.front().offset);
    return {};
  }
  Result<std::optional<kafka::Record>> Poll(Duration) override {
    if (ReachedEnd(topic_, kPartition)) return std::optional<kafka::Record>();
    return std::optional<kafka::Record>(world_.logs[topic_][static_cast<std::size_t>(next_++)]);
  }
  bool ReachedEnd(std::string_view, std::int32_t) const override {
    return next_ >= std::ssize(world_.logs[topic_]);
  }
  std::int64_t KnownEnd(std::string_view, std::int32_t) const override { return -1; }
  Result<std::pair<std::int64_t, std::int64_t>> Watermarks(std::string_view of, std::int32_t,
                                                           Duration) override {
    return std::pair(Low(of), std::ssize(world_.logs[std::string(of)]) + 0L);
  }
  Result<std::int64_t> OffsetAt(std::string_view of, std::int32_t, RealTime time,
                                Duration) override {
    const auto& log = world_.logs[std::string(of)];
    for (const kafka::Record& record : log) {
      if (record.offset >= Low(of) && record.append_time >= time) return record.offset;
    }
    return std::ssize(log) + 0L;
  }
  bool connected() const override { return true; }

 private:
  std::int64_t Low(std::string_view of) const { return of == topic::kMetrics ? world_.low_ : 0; }

  World& world_;
  std::string topic_;
  std::int64_t next_ = 0;
};

class HindsightTest : public ::testing::Test {
 protected:
  HindsightTest() { hindsight_.Open(TimeMap{}); }
  PastAlarm Look(const std::string& alarm, std::int64_t at) {
    Result<PastAlarm> past = hindsight_.Look(alarm, World::At(at), {});
    EXPECT_TRUE(past.ok()) << past.error().message;
    return past.ok() ? std::move(*past) : PastAlarm{};
  }
  std::string Lines(const PastAlarm& past) {
    v1::PastAlarm message;
    FillPast(past, message);
    std::string text;
    for (const std::string& line : message.lines()) text += line + "\n";
    return text;
  }
  World world_;
  Hindsight hindsight_{{}, [this]() -> Result<std::unique_ptr<kafka::AssignedConsumer>> {
                         return std::unique_ptr<kafka::AssignedConsumer>(new Reader(world_));
                       }};
};

TEST_F(HindsightTest, TellsTheStateOfThatMomentAndWhatWasMissing) {
  world_.Run(60'000, 50);
  world_.Run(180'000, 95);
  world_.Run(240'000, 40);
  ASSERT_GE(world_.told.size(), 4U);  // both alarms fire and resolve

  const PastAlarm quiet = Look("shop/hot", 50'000);
  ASSERT_TRUE(quiet.view) << quiet.why_not;
  EXPECT_EQ(quiet.view->state, AlarmState::kOk);
  EXPECT_EQ(quiet.view->value, 50);
  EXPECT_EQ(quiet.plan_applied_by, "kim");
  EXPECT_FALSE(quiet.before);
  ASSERT_TRUE(quiet.after);
  EXPECT_EQ(quiet.after->state, AlarmState::kFiring);
  EXPECT_THAT(Lines(quiet), HasSubstr("Missing for it to fire: a value 40 higher, and then 1min"));

  const PastAlarm pending = Look("shop/hot", 100'000);
  ASSERT_TRUE(pending.view);
  EXPECT_EQ(pending.view->state, AlarmState::kPending);
  EXPECT_THAT(Lines(pending), HasSubstr("more of being true; it had been true for"));

  const PastAlarm firing = Look("shop/hot", 150'000);
  ASSERT_TRUE(firing.view);
  EXPECT_EQ(firing.view->state, AlarmState::kFiring);
  EXPECT_FALSE(firing.corrected);
  ASSERT_TRUE(firing.before);
  EXPECT_EQ(firing.view->episode, firing.before->episode);
  EXPECT_THAT(Lines(firing), HasSubstr("Nothing was missing: it was open."));
  EXPECT_THAT(Lines(firing), HasSubstr("Before, by the log: it fired at "));
  EXPECT_THAT(Lines(firing), HasSubstr("After, by the log: it resolved at "));

  const PastAlarm dark = Look("shop/dark", 150'000);
  ASSERT_TRUE(dark.view);
  EXPECT_EQ(dark.view->state, AlarmState::kBlind);
  EXPECT_THAT(Lines(dark), HasSubstr("Missing for it to fire: any point of its metric."));
  EXPECT_FALSE(dark.begins_late);
}

TEST_F(HindsightTest, BeginsAsAnOwnerDoesWhereTheLogIsCut) {
  world_.Run(60'000, 50);
  world_.Run(600'000, 95);
  world_.Forget(1500);  // 5 records a second: after the firing
  const PastAlarm past = Look("shop/hot", 500'000);
  ASSERT_TRUE(past.view) << past.why_not;
  EXPECT_EQ(past.view->state, AlarmState::kFiring) << "the log says so";
  EXPECT_EQ(past.view->value, 95);
  EXPECT_TRUE(past.begins_late);
  EXPECT_EQ(past.first_offset, 1500);
  EXPECT_THAT(Lines(past), HasSubstr("Not complete: the log begins then"));
}

TEST_F(HindsightTest, AnswersFromTheTransitionsWhereTheSamplesAreGone) {
  world_.Run(60'000, 50);
  world_.Run(600'000, 95);
  world_.Forget(2000);
  const PastAlarm past = Look("shop/hot", 200'000);
  EXPECT_FALSE(past.view);
  EXPECT_EQ(past.records, 0U);
  ASSERT_TRUE(past.before);
  EXPECT_EQ(past.before->state, AlarmState::kFiring);
  EXPECT_THAT(Lines(past), HasSubstr("the log of the samples no longer reaches back to then"));
  EXPECT_THAT(Lines(past), HasSubstr("By the log alone, it was open."));
}

TEST_F(HindsightTest, AnEpisodeThatClosedLongBeforeTheReplayHidesNoHold) {
  world_.Run(60'000, 50);
  world_.Run(180'000, 95);
  world_.Run(2'400'000, 50);
  world_.Run(2'430'000, 95);
  const PastAlarm past = Look("shop/hot", 2'429'000);
  ASSERT_TRUE(past.view) << past.why_not;
  ASSERT_TRUE(past.before);
  EXPECT_EQ(past.before->state, AlarmState::kResolved);
  EXPECT_LT(past.before->source_offset, past.first_offset);
  EXPECT_EQ(past.view->state, AlarmState::kPending);
  EXPECT_FALSE(past.corrected);
}

TEST_F(HindsightTest, BeginsSoEarlyThatAllOfTheAlarmIsKnown) {
  world_.Run(60'000, 50);
  const std::int64_t at = 50'000;
  const auto before = [&](const PastAlarm& past) { return World::At(at) - past.wanted; };
  EXPECT_EQ(before(Look("shop/hot", at)), std::chrono::minutes(30)) << "at least";
  EXPECT_EQ(before(Look("shop/slow", at)), std::chrono::minutes(60 + 60 + 15 + 120));
  EXPECT_EQ(before(Look("shop/more", at)), std::chrono::minutes(24 * 60 + 1 + 15));
}

TEST_F(HindsightTest, AWordOfAZombieIsNone) {
  world_.Run(60'000, 50);
  world_.Run(180'000, 95);
  engine::Transition stray = world_.told.front();
  stray.alarm_id = "shop/dark";
  world_.Say(stray, -5);
  EXPECT_FALSE(Look("shop/dark", 170'000).before);
}

TEST_F(HindsightTest, NamesTheGroupsThatThereWere) {
  world_.Run(60'000, 50);
  const PastAlarm past = Look("shop/hot-pods", 50'000);
  EXPECT_FALSE(past.view);
  EXPECT_THAT(past.groups, ElementsAre("shop/hot-pods{pod=\"a\"}"));
  EXPECT_THAT(past.why_not, HasSubstr("there was no group shop/hot-pods then"));
  const PastAlarm found = Look("shop/hot-pods{pod=\"a\"}", 50'000);
  ASSERT_TRUE(found.view);
  EXPECT_EQ(found.view->value, 50);
}

TEST_F(HindsightTest, SaysWhatThereWasNotThen) {
  world_.Run(60'000, 50);
  EXPECT_THAT(
      Look("shop/hott", 50'000).why_not,
      HasSubstr("plan version 1, in force then, had no alarm \"hott\"; did you mean \"hot\""));
  EXPECT_THAT(Look("shop/hot", -5000).why_not, HasSubstr("no plan of shop was in force then"));
  const PastAlarm late = Look("shop/hot", 90'000);
  EXPECT_TRUE(late.ends_early);
  EXPECT_THAT(Lines(late), HasSubstr("the log ends before that moment"));
  const auto bad = hindsight_.Look("hot", World::At(0), {});
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalid);
}

TEST_F(HindsightTest, GivesUpWhenAskedToAndLetsOneReplayRunAtATime) {
  world_.Run(600'000, 50);
  std::vector<std::uint64_t> seen;
  const auto stopped =
      hindsight_.Look("shop/hot", World::At(590'000), [&](std::uint64_t done, std::uint64_t all) {
        seen.push_back(done);
        EXPECT_GE(all, done);
        const auto second = hindsight_.Look("shop/hot", World::At(590'000), {});
        EXPECT_FALSE(second.ok());
        EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
        return false;
      });
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::kTimeout);
  EXPECT_THAT(seen, ElementsAre(2000U));
}

TEST_F(HindsightTest, IsNotAskedBeforeTheTopicsAreKnown) {
  Hindsight closed({}, []() -> Result<std::unique_ptr<kafka::AssignedConsumer>> {
    return InternalError("nobody asks");
  });
  const auto past = closed.Look("shop/hot", World::At(0), {});
  ASSERT_FALSE(past.ok());
  EXPECT_EQ(past.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace liveops::evaluation
