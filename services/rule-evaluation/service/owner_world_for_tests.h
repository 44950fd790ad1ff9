#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/runtime/topics.h"
#include "liveops/v1/metrics.pb.h"
#include "services/rule-evaluation/service/producer_for_tests.h"
#include "services/rule-evaluation/service/redis_snapshot_port.h"
#include "services/rule-evaluation/service/shard_owner.h"

// For the tests of this folder: an owner, its log record by record, and what it writes.
namespace liveops::evaluation {

class OwnerWorld : public testing::Test {
 protected:
  void Own(std::int32_t partition, Takeover takeover) {
    partition_ = partition;
    producer_.sent.clear();
    owner_ = std::make_unique<ShardOwner>(
        partition, 1, std::move(takeover),
        OwnerPorts{producer_, writer_, table_, mailbox_, "evaluator-0", 42});
  }
  void Apply(const v1::ShardRecord& shard_record) {
    kafka::Record record;
    record.topic = runtime::topic::kMetrics;
    record.partition = partition_;
    record.offset = offset_++;
    record.append_time = RealFromMs(now_ms_);
    record.value = shard_record.SerializeAsString();
    owner_->Apply(record, decoder_);
  }
  void TickAfter(std::int64_t ms) {
    now_ms_ += ms;
    v1::ShardRecord record;
    record.mutable_tick()->set_instance("ingest-0");
    record.mutable_tick()->set_session(1);
    record.mutable_tick()->set_steady_ms(now_ms_);
    record.mutable_tick()->set_accepting(true);
    Apply(record);
  }
  // `spread_from_ms`: 0 = it is not spread.
  void Activate(const char* plan, std::int64_t spread_from_ms = 0) {
    v1::ShardRecord record;
    record.mutable_plan()->set_service("shop");
    record.mutable_plan()->set_version(1);
    record.mutable_plan()->set_text(plan);
    record.mutable_plan()->set_spread_from_ms(spread_from_ms);
    Apply(record);
  }
  // Which of what was sent went to the topic.
  std::vector<std::size_t> SentTo(std::string_view topic) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < producer_.sent.size(); ++i) {
      if (producer_.sent[i].topic == topic) found.push_back(i);
    }
    return found;
  }
  void Answer(std::size_t index, bool good) {
    const auto done = producer_.sent[index].done;
    good ? done(kafka::Delivery{77, {}}) : done(UnavailableError("broker"));
    for (const DeliveryNote& note : mailbox_->TakeNotes()) owner_->Answered(note);
  }

  FakeProducer producer_;
  runtime::Writer writer_{"evaluator-0", 9};
  redis::Client redis_{redis::Config{}};
  RedisSnapshotPort port_{redis_};
  SnapshotStore snapshots_{port_};
  AlarmTable table_{redis_, snapshots_};
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  Decoder decoder_;
  std::unique_ptr<ShardOwner> owner_;
  std::int32_t partition_ = 0;
  std::int64_t offset_ = 0;
  std::int64_t now_ms_ = 1'800'000'000'000;
};

}  // namespace liveops::evaluation
