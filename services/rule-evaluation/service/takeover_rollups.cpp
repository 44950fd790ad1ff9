// The part of Takeovers that finds what was rolled up: where no snapshot is left, what the windows
// held that a replay does not fill.
#include <algorithm>
#include <chrono>

#include "common/runtime/topics.h"
#include "common/telemetry/log.h"
#include "services/rule-evaluation/codec/rollup_codec.h"
#include "services/rule-evaluation/service/takeover.h"

namespace liveops::evaluation {
namespace {

namespace topic = runtime::topic;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr auto kTellProgress = seconds(2);

std::int64_t Signed(std::uint64_t v) { return static_cast<std::int64_t>(v); }

}  // namespace

// A round is of use only if the replay brings back all that came after it began: what was written
// before the replay's beginning is not read.
Status Takeovers::FindRollups(kafka::AssignedConsumer& reader, std::vector<Case>& cases,
                              const Histories& histories) {
  std::vector<kafka::PartitionOffset> starts;
  std::map<std::int32_t, std::int64_t> open;  // with its end
  for (Case& c : cases) {
    if (c.state || c.start == 0) continue;  // from the beginning nothing is missing
    const RealTime from = c.claimed_at - config_.time_map.ToReal(config_.replay_max);
    const auto ends = reader.Watermarks(topic::kRollups, c.partition, config_.read_timeout);
    if (!ends.ok()) return ends.error();
    const auto at = reader.OffsetAt(topic::kRollups, c.partition, from, config_.read_timeout);
    if (!at.ok()) return at.error();
    const std::int64_t start = std::max(*at, ends->first);
    if (start >= ends->second) continue;
    starts.push_back({topic::kRollups, c.partition, start});
    open[c.partition] = ends->second;
  }
  if (starts.empty()) return {};
  if (Status s = reader.Assign(starts); !s.ok()) return s;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::uint64_t unusable = 0;
  const auto tell = [&](const char* what) {
    log::Info(what, {{"records", Signed(records)},
                     {"bytes", Signed(bytes)},
                     {"unusable", Signed(unusable)},
                     {"partitions_left", Signed(open.size())}});
  };
  SteadyTime until = steady_clock::now() + config_.read_timeout;
  SteadyTime tell_at = steady_clock::now() + kTellProgress;
  while (!open.empty()) {
    auto polled = reader.Poll(Duration(50));
    if (!polled.ok()) return polled.error();
    const SteadyTime now = steady_clock::now();
    if (now > until) {
      return UnavailableError(std::string(topic::kRollups) + " gave nothing for too long");
    }
    if (now > tell_at) {
      tell_at = now + kTellProgress;
      tell("rollups_are_read");
    }
    std::erase_if(
        open, [&](const auto& entry) { return reader.ReachedEnd(topic::kRollups, entry.first); });
    if (!*polled) continue;
    until = now + config_.read_timeout;
    const kafka::Record& record = **polled;
    ++records;
    bytes += record.value.size();
    const auto c = std::find_if(cases.begin(), cases.end(),
                                [&](const Case& one) { return one.partition == record.partition; });
    const std::int64_t epoch = runtime::EpochOf(record);
    auto rollup = DecodeRollup(record.value, record.partition);
    // What stood after a record that is not there any more is of another log.
    if (rollup.ok() && rollup->position < c->high &&
        histories.at(record.partition).Owned(epoch, record.append_time)) {
      c->rollups.Put(epoch, std::move(*rollup));
    } else {
      ++unusable;
    }
    const auto at = open.find(record.partition);
    if (at != open.end() && record.offset + 1 >= at->second) open.erase(at);
  }
  tell("rollups_read");
  return reader.Assign({});
}

}  // namespace liveops::evaluation
