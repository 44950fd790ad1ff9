#include "integration-tests/promises/evaluation_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

#include "common/base/epoch_filter.h"
#include "common/base/hash.h"
#include "common/kafka/kafka.h"
#include "common/runtime/ownership.h"
#include "common/runtime/topics.h"
#include "liveops/v1/metrics.pb.h"
#include "services/rule-evaluation/codec/decoder.h"
#include "services/rule-evaluation/codec/transition_proto.h"
#include "services/rule-evaluation/engine/shard.h"

namespace liveops::promises {
namespace {

constexpr Duration kReadWithin{30'000};

Status ReadAll(stack::Stack& stack, const char* topic, std::int32_t partition,
               const std::function<void(const kafka::Record&)>& each) {
  auto consumer = kafka::AssignedConsumer::Create({stack.kafka().address(), "promises", {}});
  if (!consumer.ok()) return consumer.error();
  return runtime::ReadToEnd(**consumer, topic, partition, kafka::kOffsetBeginning, kReadWithin,
                            each);
}

Told Of(const v1::AlarmTransition& transition) {
  Told told{transition, ""};
  told.bytes = transition.SerializeAsString();
  return told;
}

}  // namespace

Result<ByPartition> InLog(stack::Stack& stack) {
  ByPartition all;
  for (std::int32_t p = 0; p < stack.options().partitions; ++p) {
    EpochFilter filter;
    std::map<std::string, std::string> last;  // transition id by alarm
    const Status read = ReadAll(stack, runtime::topic::kAlarms, p, [&](const kafka::Record& r) {
      v1::AlarmRecord record;
      if (r.value.empty() || !record.ParseFromString(r.value)) return;
      if (record.has_claim()) filter.Claim(r.offset);
      if (!record.has_transition() || !filter.Valid(runtime::EpochOf(r))) return;
      const v1::AlarmTransition& t = record.transition();
      if (std::exchange(last[t.alarm_id()], t.transition_id()) == t.transition_id()) return;
      all[p].push_back(Of(t));
    });
    if (!read.ok()) return read.error();
  }
  return all;
}

Result<ByPartition> Replayed(stack::Stack& stack) {
  ByPartition all;
  for (std::int32_t p = 0; p < stack.options().partitions; ++p) {
    engine::ShardLimits limits;
    limits.partition = p;
    limits.partitions = stack.options().partitions;
    engine::Shard shard(stack.time_map(), limits);
    evaluation::Decoder decoder;
    std::vector<engine::Transition> transitions;
    const Status read = ReadAll(stack, runtime::topic::kMetrics, p, [&](const kafka::Record& r) {
      const auto view = decoder.Decode(r.offset, r.append_time, r.value);
      if (view.ok()) shard.Apply(**view, transitions);
    });
    if (!read.ok()) return read.error();
    for (const engine::Transition& t : transitions) {
      v1::AlarmTransition message;
      evaluation::ToProto(t, p, message);
      all[p].push_back(Of(message));
    }
  }
  return all;
}

Result<RealTime> LatestAppend(stack::Stack& stack, const std::string& service) {
  RealTime latest{};
  const Status read =
      ReadAll(stack, runtime::topic::kMetrics, PartitionOf(service, stack.options().partitions),
              [&](const kafka::Record& r) { latest = std::max(latest, r.append_time); });
  if (!read.ok()) return read.error();
  return latest;
}

Result<std::string> OwnerOf(stack::Stack& stack, std::int32_t partition) {
  std::string owner;
  const Status read =
      ReadAll(stack, runtime::topic::kAlarms, partition, [&](const kafka::Record& r) {
        v1::AlarmRecord record;
        if (record.ParseFromString(r.value) && record.has_claim()) owner = record.claim().owner();
      });
  if (!read.ok()) return read.error();
  return owner;
}

Result<std::size_t> PointsIn(stack::Stack& stack, std::int32_t partition,
                             const std::string& service) {
  std::size_t points = 0;
  const Status read =
      ReadAll(stack, runtime::topic::kMetrics, partition, [&](const kafka::Record& r) {
        v1::ShardRecord record;
        if (!record.ParseFromString(r.value) || record.batch().service() != service) return;
        points += static_cast<std::size_t>(record.batch().point_value_size());
      });
  if (!read.ok()) return read.error();
  return points;
}

std::vector<Told> OfAlarm(const ByPartition& all, const std::string& alarm_id) {
  std::vector<Told> of_it;
  for (const auto& [partition, told] : all) {
    std::copy_if(told.begin(), told.end(), std::back_inserter(of_it),
                 [&](const Told& one) { return one.transition.alarm_id() == alarm_id; });
  }
  return of_it;
}

void SameToTheByte(const std::vector<Told>& told, const std::vector<Told>& replayed) {
  ASSERT_GE(replayed.size(), told.size());
  for (std::size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(told[i].bytes, replayed[i].bytes)
        << "told: " << told[i].transition.ShortDebugString()
        << "\nreplayed: " << replayed[i].transition.ShortDebugString();
  }
}

std::string Story(const ByPartition& all, const std::string& alarm_id) {
  std::string story;
  for (const Told& one : OfAlarm(all, alarm_id)) {
    const std::string state = v1::AlarmState_Name(one.transition.state());
    story +=
        state.substr(std::string("ALARM_STATE_").size()) + " " + one.transition.reason() + "\n";
  }
  return story;
}

Status WriteAsZombie(stack::Stack& stack, const std::string& alarm_id) {
  const std::int32_t partition =
      PartitionOf(alarm_id.substr(0, alarm_id.find('/')), stack.options().partitions);
  std::vector<std::int64_t> claims;
  v1::AlarmRecord last;
  const Status read =
      ReadAll(stack, runtime::topic::kAlarms, partition, [&](const kafka::Record& r) {
        v1::AlarmRecord record;
        if (!record.ParseFromString(r.value)) return;
        if (record.has_claim()) claims.push_back(r.offset);
        if (record.has_transition() && record.transition().alarm_id() == alarm_id) last = record;
      });
  if (!read.ok()) return read.error();
  if (claims.size() < 2) return InternalError("the partition had one owner only");
  if (!last.has_transition()) return InternalError("no transition of " + alarm_id);
  v1::AlarmTransition& t = *last.mutable_transition();
  t.set_state(v1::ALARM_STATE_RESOLVED);
  t.set_reason("recovered");
  t.set_step(t.step() + 1);
  t.set_transition_id(std::string(32, 'z'));
  auto producer = kafka::Producer::Create({stack.kafka().address(), "zombie", {}});
  if (!producer.ok()) return producer.error();
  const auto written = (*producer)->ProduceSync(runtime::topic::kAlarms, partition, alarm_id,
                                                last.SerializeAsString(),
                                                runtime::OwnerHeaders(claims[claims.size() - 2]));
  return written.ok() ? Status() : Status(written.error());
}

}  // namespace liveops::promises
