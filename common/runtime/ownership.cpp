#include "common/runtime/ownership.h"

#include <fmt/format.h>

#include <charconv>
#include <random>

#include "common/runtime/topics.h"

namespace liveops::runtime {

Result<std::int64_t> ClaimPartition(kafka::GroupConsumer& group, std::int32_t source_partition,
                                    std::int64_t committed_offset, kafka::Producer& producer,
                                    const std::string& log_topic, std::int32_t log_partition,
                                    const EncodeClaim& encode) {
  // Only the group's present owner may commit: whoever lost the partition while it slept is refused
  // here.
  if (Status s = group.Commit(source_partition, committed_offset); !s.ok()) return s.error();
  std::random_device device;
  const std::string key =
      fmt::format("claim/{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
  auto written = producer.ProduceSync(log_topic, log_partition, key, encode());
  if (!written.ok()) return written.error();
  return written->offset;
}

std::string ReleaseKey(std::string_view claim_key) {
  constexpr std::string_view kClaim = "claim/";
  if (claim_key.starts_with(kClaim)) claim_key.remove_prefix(kClaim.size());
  return fmt::format("released/{}", claim_key);
}

std::vector<kafka::Header> OwnerHeaders(std::int64_t epoch, std::string_view traceparent) {
  std::vector<kafka::Header> headers{{kEpochHeader, std::to_string(epoch)}};
  if (!traceparent.empty()) headers.push_back({kTraceHeader, std::string(traceparent)});
  return headers;
}

std::int64_t EpochOf(const kafka::Record& record) {
  const std::string* text = record.FindHeader(kEpochHeader);
  if (text == nullptr) return EpochFilter::kNoEpoch;
  std::int64_t epoch = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), epoch);
  // A damaged header must not pass as "no owner's record": an epoch below every claim voids it.
  if (error != std::errc() || end != text->data() + text->size() || epoch < 0) return INT64_MIN;
  return epoch;
}

}  // namespace liveops::runtime
