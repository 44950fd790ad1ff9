#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/liveopsctl/log/partition_log.h"
#include "services/liveopsctl/rehearse/backtest.h"

namespace liveops::ctl {

// Times are domain times, as everywhere in alarms.
struct LogQuery {
  std::string service;           // whose home it is
  std::optional<Instant> from;   // nullopt = from the beginning of what is kept
  std::optional<Instant> to;     // nullopt = to the end as it stands now
  std::optional<Duration> last;  // in place of `from`: so long before the end
};

// A stretch of the partitions that hold what a plan reads, record by record in the order of their
// append times; of equal ones the lower partition's comes first. Each partition's records keep
// their order. Only the time of which all of them have records. In memory that does not grow with
// its length. One thread at a time.
class ServiceLog {
 public:
  using OpenPorts = std::function<Result<KafkaPorts>()>;
  // Which partitions are to be read, the home first, once it is known where series lie.
  using Choose = std::function<Result<std::vector<std::int32_t>>(const rehearse::LogPlaces&)>;

  // kNotFound: a partition is empty, or they hold nothing of the time that was asked for; the
  // message says what they hold. An error of `choose` is given back.
  static Result<ServiceLog> Open(const OpenPorts& open, const LogQuery& query, const Choose& choose,
                                 Duration timeout);

  struct Entry {
    std::int32_t partition = 0;
    const engine::RecordView* record = nullptr;  // nullptr: the end
  };
  // It holds until the next call. kUnavailable: none came for so long as `timeout`.
  Result<Entry> Next();

  double part() const;  // done, 0 to 1
  // What was given so far.
  const rehearse::LogSpan& span() const { return span_; }

 private:
  struct Reader {
    explicit Reader(PartitionLog its_log) : log(std::move(its_log)) {}
    PartitionLog log;
    const engine::RecordView* head = nullptr;  // read, and not given yet
  };

  // The stretch that was asked for of a log with such ends.
  struct Wanted {
    RealTime from{};
    RealTime to{};
  };

  ServiceLog() = default;
  Wanted Resolve(const LogQuery& query, RealTime first, RealTime last) const;
  Status Seek(const LogQuery& query);
  Status Advance(std::size_t reader);

  TimeMap map_;
  std::vector<Reader> readers_;  // in the order of span_.partitions
  std::optional<std::size_t> given_;
  bool begun_ = false;
  rehearse::LogSpan span_;
};

}  // namespace liveops::ctl
