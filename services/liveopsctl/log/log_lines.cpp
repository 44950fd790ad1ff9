#include "services/liveopsctl/log/log_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "common/base/hash.h"
#include "common/plan/log_count.h"
#include "common/runtime/time_map.h"
#include "common/runtime/topics.h"

namespace liveops::ctl {
namespace {

constexpr const char* kTopic = runtime::topic::kLogs;
constexpr Duration kArrives{15'000};     // so late an exemplar may stand in the log, or later
constexpr std::int64_t kFirstStep = 64;  // records; each step back is larger than the one before

}  // namespace

Result<LogLines> LogLines::Open(KafkaPorts ports, LineQuery query, Duration timeout) {
  LogLines lines(std::move(ports), std::move(query), timeout);
  kafka::AssignedConsumer& consumer = *lines.ports_.consumer;
  const Result<TimeMap> map = runtime::ReadTimeMap(consumer, timeout);
  if (!map.ok()) return map.error();
  lines.map_ = *map;
  lines.partition_ = PartitionOf(lines.query_.service, lines.ports_.partitions);
  const auto marks = consumer.Watermarks(kTopic, lines.partition_, timeout);
  if (!marks.ok()) return marks.error();
  std::tie(lines.low_, lines.end_) = *marks;
  if (Status s = consumer.Assign({{kTopic, lines.partition_, lines.end_}}); !s.ok())
    return s.error();
  return lines;
}

void LogLines::Pick(const kafka::Record& record, std::vector<v1::LogRecord>& out) const {
  v1::LogBatch batch;
  if (!batch.ParseFromString(record.value) || batch.service() != query_.service) return;
  for (v1::LogRecord& line : *batch.mutable_records()) {
    if (static_cast<int>(line.level()) < static_cast<int>(query_.level)) continue;
    if (!plan::Contains(line.message(), query_.match)) continue;
    out.push_back(std::move(line));
  }
}

Status LogLines::ForEach(std::int64_t from, std::int64_t to,
                         const std::function<void(const kafka::Record&)>& take) {
  kafka::AssignedConsumer& consumer = *ports_.consumer;
  if (Status s = consumer.Assign({{kTopic, partition_, from}}); !s.ok()) return s.error();
  auto until = std::chrono::steady_clock::now() + timeout_;
  while (true) {
    auto record = consumer.Poll(Duration(50));
    if (!record.ok()) return record.error();
    if (*record) {
      if ((*record)->offset >= to) return {};
      bytes_ += (*record)->value.size();
      take(**record);
      if ((*record)->offset + 1 >= to) return {};
      until = std::chrono::steady_clock::now() + timeout_;
    } else if (consumer.ReachedEnd(kTopic, partition_)) {
      return {};
    } else if (std::chrono::steady_clock::now() > until) {
      return UnavailableError(fmt::format("partition {} of {} gave no record for {}", partition_,
                                          kTopic, FormatDuration(timeout_)));
    }
  }
}

Result<std::vector<v1::LogRecord>> LogLines::Between(std::int64_t from, std::int64_t to) {
  std::vector<v1::LogRecord> out;
  const Status read = ForEach(from, to, [&](const kafka::Record& record) { Pick(record, out); });
  if (!read.ok()) return read.error();
  return out;
}

Result<std::vector<v1::Exemplar>> LogLines::ExemplarsBetween(Instant from, Instant until) {
  const auto offset = [&](Instant time) {
    return ports_.consumer->OffsetAt(kTopic, partition_, map_.ToReal(time), timeout_);
  };
  const Result<std::int64_t> first = offset(from);
  if (!first.ok()) return first.error();
  const Result<std::int64_t> after = offset(until + kArrives);
  if (!after.ok()) return after.error();
  std::vector<v1::Exemplar> out;
  const std::int64_t last =
      std::min({*after, end_, *first + static_cast<std::int64_t>(kRecordsMax)});
  if (*first >= last) return out;
  const Status read = ForEach(*first, last, [&](const kafka::Record& record) {
    v1::LogBatch batch;
    if (!batch.ParseFromString(record.value) || batch.service() != query_.service) return;
    out.insert(out.end(), batch.exemplars().begin(), batch.exemplars().end());
  });
  if (!read.ok()) return read.error();
  return out;
}

Result<std::vector<v1::LogRecord>> LogLines::Last(std::size_t count) {
  std::vector<v1::LogRecord> found;
  std::int64_t from = end_;
  std::int64_t step = kFirstStep;
  while (from > low_ && found.size() < count) {
    if (bytes_ > kBytesMax || end_ - from >= static_cast<std::int64_t>(kRecordsMax)) {
      whole_ = false;
      break;
    }
    const std::int64_t to = from;
    from = std::max(low_, from - step);
    step *= 4;
    auto earlier = Between(from, to);
    if (!earlier.ok()) return earlier.error();
    earlier->insert(earlier->end(), std::make_move_iterator(found.begin()),
                    std::make_move_iterator(found.end()));
    found = *std::move(earlier);
  }
  if (found.size() > count)
    found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(count));
  if (Status s = ports_.consumer->Assign({{kTopic, partition_, end_}}); !s.ok()) return s.error();
  return found;
}

Result<std::vector<v1::LogRecord>> LogLines::Next(Duration wait) {
  auto record = ports_.consumer->Poll(wait);
  if (!record.ok()) return record.error();
  std::vector<v1::LogRecord> out;
  if (*record) Pick(**record, out);
  return out;
}

}  // namespace liveops::ctl
