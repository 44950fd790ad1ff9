#include "services/remediation/service/log_reader.h"

#include "common/runtime/topics.h"
#include "common/telemetry/log.h"

namespace liveops::remediation {
namespace {

constexpr Duration kPoll{200};  // also the grain of the Keeper's sense of time
constexpr Duration kAsk{1'000};
// Compaction may have removed a log's last records: with this much silence there is nothing more to
// wait for.
constexpr auto kSilence = std::chrono::seconds(5);

}  // namespace

Result<std::unique_ptr<LogReader>> LogReader::Start(const kafka::ClientConfig& config,
                                                    std::int32_t partitions, Keeper& keeper) {
  Result<std::unique_ptr<kafka::AssignedConsumer>> consumer =
      kafka::AssignedConsumer::Create(config);
  if (!consumer.ok()) return consumer.error();
  std::vector<kafka::PartitionOffset> all;
  for (std::int32_t p = 0; p < partitions; ++p) {
    all.push_back({runtime::topic::kRemediations, p, kafka::kOffsetBeginning});
    all.push_back({runtime::topic::kAlarms, p, kafka::kOffsetBeginning});
  }
  if (Status assigned = (*consumer)->Assign(all); !assigned.ok()) return assigned.error();
  return std::unique_ptr<LogReader>(new LogReader(std::move(consumer).value(), partitions, keeper));
}

LogReader::LogReader(std::unique_ptr<kafka::AssignedConsumer> consumer, std::int32_t partitions,
                     Keeper& keeper)
    : consumer_(std::move(consumer)), partitions_(partitions), keeper_(keeper) {
  thread_ = std::thread([this] { Loop(); });
}

LogReader::~LogReader() { Stop(); }

void LogReader::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

bool LogReader::FindEnds() {
  behind_.clear();
  for (const char* topic : {runtime::topic::kRemediations, runtime::topic::kAlarms}) {
    for (std::int32_t p = 0; p < partitions_; ++p) {
      const auto marks = consumer_->Watermarks(topic, p, kAsk);
      if (!marks.ok()) {
        log::Warn("waiting", {{"for", "the logs' ends"}, {"because", marks.error().message}});
        return false;
      }
      if (marks->first < marks->second) behind_[{topic, p}] = marks->second;
    }
  }
  return true;
}

void LogReader::Take(const kafka::Record& record) {
  if (record.topic == runtime::topic::kAlarms) {
    keeper_.OnAlarm(record);
  } else {
    keeper_.OnRemediation(record);
  }
  if (caught_up_) return;
  const auto it = behind_.find({record.topic, record.partition});
  if (it != behind_.end() && record.offset + 1 >= it->second) behind_.erase(it);
}

void LogReader::Loop() {
  while (!stop_ && !FindEnds()) std::this_thread::sleep_for(kPoll);
  auto last_record = std::chrono::steady_clock::now();
  auto last_tick = last_record;
  while (!stop_) {
    Result<std::optional<kafka::Record>> record = consumer_->Poll(kPoll);
    connected_ = consumer_->connected();
    const auto now = std::chrono::steady_clock::now();
    if (!record.ok()) {
      log::Error("read_failed", {{"problem", record.error().message}});
      std::this_thread::sleep_for(kPoll);
    } else if (*record) {
      last_record = now;
      Take(**record);
    }
    if (!caught_up_) {
      const bool silent = now - last_record > kSilence && connected_;
      if (!behind_.empty() && !silent) continue;
      caught_up_ = true;
      keeper_.CaughtUp();
    }
    if (now - last_tick >= kPoll) {
      last_tick = now;
      keeper_.Tick();
      ServeEnds();
    }
  }
}

void LogReader::ServeEnds() {
  {
    const std::lock_guard lock(mutex_);
    if (!ends_wanted_) return;
  }
  std::map<std::int32_t, std::int64_t> ends;
  for (std::int32_t p = 0; p < partitions_; ++p) {
    const auto marks = consumer_->Watermarks(runtime::topic::kRemediations, p, kAsk);
    if (!marks.ok()) break;
    ends[p] = marks->second;
  }
  const std::lock_guard lock(mutex_);
  ends_wanted_ = false;
  ends_ = std::move(ends);
  answered_.notify_all();
}

std::map<std::int32_t, std::int64_t> LogReader::Ends(Duration timeout) {
  std::unique_lock lock(mutex_);
  ends_wanted_ = true;
  answered_.wait_for(lock, timeout, [this] { return !ends_wanted_; });
  return ends_;
}

}  // namespace liveops::remediation
