#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/epoch_filter.h"
#include "common/base/result.h"
#include "common/kafka/kafka.h"

namespace liveops::runtime {

// Who writes: the (emitter, session, sequence) of every record of one process.
class Writer {
 public:
  Writer(std::string emitter, std::uint64_t session)
      : emitter_(std::move(emitter)), session_(session) {}
  const std::string& emitter() const { return emitter_; }
  std::uint64_t session() const { return session_; }
  std::uint64_t Next() { return ++sequence_; }  // thread-safe

 private:
  std::string emitter_;
  std::uint64_t session_;
  std::atomic<std::uint64_t> sequence_{0};
};

// What kind of record a claim is depends on the topic's envelope, so the caller encodes it.
using EncodeClaim = std::function<std::string()>;

// Takes a partition over, once Kafka's group gave it to this process (inside GroupConsumer's
// on_assigned): commits `committed_offset` of `source_partition` synchronously (refused: it is not
// ours after all), then appends the claim to (log_topic, log_partition). Returns the claim's
// offset: the epoch. kConflict: not the owner. kUnavailable: try again later.
Result<std::int64_t> ClaimPartition(kafka::GroupConsumer& group, std::int32_t source_partition,
                                    std::int64_t committed_offset, kafka::Producer& producer,
                                    const std::string& log_topic, std::int32_t log_partition,
                                    const EncodeClaim& encode);

// The key of the release that ends the claim at `claim_key`. Not the claim's own: on a compacted
// topic the release would take the claim away, and with it what voids the records of earlier
// owners.
std::string ReleaseKey(std::string_view claim_key);

// The header list of an owner's record: epoch and, when not empty, traceparent.
std::vector<kafka::Header> OwnerHeaders(std::int64_t epoch, std::string_view traceparent = "");
// The record's epoch, or EpochFilter::kNoEpoch.
std::int64_t EpochOf(const kafka::Record& record);

}  // namespace liveops::runtime
