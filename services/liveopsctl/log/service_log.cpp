#include "services/liveopsctl/log/service_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/hash.h"
#include "common/runtime/plan_spreads.h"
#include "common/runtime/time_map.h"

namespace liveops::ctl {
namespace {

// Ticks come each 250 ms from each ingest: what begins or ends so much apart from the others does
// so for a reason.
constexpr Duration kSlack{2'000};

}  // namespace

ServiceLog::Wanted ServiceLog::Resolve(const LogQuery& query, RealTime first, RealTime last) const {
  Wanted wanted{first, last};
  if (query.to) wanted.to = std::min(last, map_.ToReal(*query.to));
  if (query.from) wanted.from = map_.ToReal(*query.from);
  // By the log's own clock; this host's may be another.
  if (query.last) wanted.from = wanted.to - map_.ToReal(*query.last);
  return wanted;
}

Result<ServiceLog> ServiceLog::Open(const OpenPorts& open, const LogQuery& query,
                                    const Choose& choose, Duration timeout) {
  Result<KafkaPorts> ports = open();
  if (!ports.ok()) return ports.error();
  ServiceLog log;
  const Result<TimeMap> map = runtime::ReadTimeMap(*ports->consumer, timeout);
  if (!map.ok()) return map.error();
  log.map_ = *map;
  const auto spreads = runtime::PlanSpreads::Read(*ports->consumer, timeout);
  if (!spreads.ok()) return spreads.error();

  const std::int32_t all = ports->partitions;
  const std::int32_t home = PartitionOf(query.service, all);
  const auto add = [&](std::unique_ptr<kafka::AssignedConsumer> consumer,
                       std::int32_t partition) -> Status {
    Result<PartitionLog> opened = PartitionLog::Open(std::move(consumer), partition, timeout);
    if (!opened.ok() && opened.error().code == ErrorCode::kNotFound)
      return NotFoundError(
          fmt::format("{}: it is one of those of {}", opened.error().message, query.service));
    if (!opened.ok()) return opened.error();
    log.readers_.emplace_back(std::move(*opened));
    return {};
  };
  if (Status s = add(std::move(ports->consumer), home); !s.ok()) return s.error();
  const PartitionBounds& bounds = log.readers_.front().log.bounds();
  const Wanted wanted = log.Resolve(query, bounds.first, bounds.last);
  const auto partitions =
      choose({log.map_, all, spreads->Within(std::max(wanted.from, bounds.first), wanted.to)});
  if (!partitions.ok()) return partitions.error();
  for (const std::int32_t partition : *partitions) {
    if (partition == home) continue;
    ports = open();
    if (!ports.ok()) return ports.error();
    if (Status s = add(std::move(ports->consumer), partition); !s.ok()) return s.error();
  }
  if (Status s = log.Seek(query); !s.ok()) return s.error();
  return log;
}

Status ServiceLog::Seek(const LogQuery& query) {
  const auto bounds = [](const Reader& reader) { return reader.log.bounds(); };
  const auto latest = std::max_element(
      readers_.begin(), readers_.end(),
      [&](const Reader& a, const Reader& b) { return bounds(a).first < bounds(b).first; });
  const auto earliest = std::min_element(
      readers_.begin(), readers_.end(),
      [&](const Reader& a, const Reader& b) { return bounds(a).last < bounds(b).last; });
  RealTime oldest = RealTime::max();
  RealTime newest{};
  for (const Reader& reader : readers_) {
    oldest = std::min(oldest, bounds(reader).first);
    newest = std::max(newest, bounds(reader).last);
  }
  const RealTime first = bounds(*latest).first;
  const RealTime last = bounds(*earliest).last;
  const Wanted wanted = Resolve(query, first, last);
  if (query.from || query.last) span_.wanted = map_.ToDomain(wanted.from);

  bool any = true;
  for (Reader& reader : readers_) {
    // A partition by itself is read to its ends, whatever its broker's clock did.
    const bool alone = readers_.size() == 1;
    const std::optional<RealTime> from =
        alone && !span_.wanted ? std::nullopt : std::optional(std::max(wanted.from, first));
    std::optional<RealTime> to = wanted.to;
    if (alone) to = query.to ? std::optional(map_.ToReal(*query.to)) : std::nullopt;
    const Result<bool> found = reader.log.Seek(from, to);
    if (!found.ok()) return found.error();
    any = any && *found;
    span_.partitions.push_back(reader.log.span());
  }
  const auto text = [&](RealTime time) { return FormatUtc(ToMs(map_.ToDomain(time))); };
  if (first > last) {
    return NotFoundError(fmt::format(
        "there is no time of which all partitions of {} have records: partition {} begins at {}, "
        "and partition {} ends at {}",
        query.service, latest->log.span().partition, text(first), earliest->log.span().partition,
        text(last)));
  }
  if (!any) {
    return NotFoundError(
        fmt::format("the log of {} holds nothing of that time: it reaches from {} "
                    "to {}",
                    query.service, text(first), text(last)));
  }
  const bool late = span_.wanted ? bounds(*latest).low > 0 && first > wanted.from + kSlack
                                 : first > oldest + kSlack;
  if (late) span_.begins_late = latest->log.span().partition;
  const RealTime until = query.to ? std::min(newest, map_.ToReal(*query.to)) : newest;
  if (last + kSlack < until) {
    span_.ends_early = earliest->log.span().partition;
    span_.ends = map_.ToDomain(last);
  }
  return {};
}

Status ServiceLog::Advance(std::size_t reader) {
  Reader& r = readers_[reader];
  const auto record = r.log.Next();
  if (!record.ok()) return record.error();
  r.head = *record;
  if (r.head == nullptr) span_.partitions[reader] = r.log.span();
  return {};
}

Result<ServiceLog::Entry> ServiceLog::Next() {
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    if (begun_ && given_ != i) continue;
    if (Status s = Advance(i); !s.ok()) return s.error();
  }
  begun_ = true;
  given_.reset();
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    if (readers_[i].head == nullptr) continue;
    const auto order = [&](std::size_t reader) {
      return std::pair(readers_[reader].head->append_time, span_.partitions[reader].partition);
    };
    if (!given_ || order(i) < order(*given_)) given_ = i;
  }
  if (!given_) return Entry{};
  // With the head, and without what was not read yet.
  span_.partitions[*given_] = readers_[*given_].log.span();
  return Entry{span_.partitions[*given_].partition, readers_[*given_].head};
}

double ServiceLog::part() const {
  std::int64_t done = 0;
  std::int64_t all = 0;
  for (const Reader& reader : readers_) {
    done += reader.log.done();
    all += reader.log.length();
  }
  return static_cast<double>(done) / static_cast<double>(std::max<std::int64_t>(1, all));
}

}  // namespace liveops::ctl
