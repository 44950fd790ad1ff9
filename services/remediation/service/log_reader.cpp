#include "services/remediation/service/log_reader.h"

#include "common/runtime/topics.h"
#include "common/telemetry/log.h"

namespace liveops::remediation {
namespace {

constexpr Duration kPoll{200};  // also the grain of the Keeper's sense of time
// Nobody waits for a remedy by the millisecond, and pages leave by the same broker meanwhile.
constexpr kafka::Gather kGather{Duration(100), 1 << 20};

}  // namespace

Result<std::unique_ptr<LogReader>> LogReader::Start(const kafka::ClientConfig& config,
                                                    std::int32_t partitions, Keeper& keeper) {
  Result<std::unique_ptr<kafka::AssignedConsumer>> consumer =
      kafka::AssignedConsumer::Create(config, kGather);
  if (!consumer.ok()) return consumer.error();
  std::vector<kafka::PartitionOffset> all;
  for (std::int32_t p = 0; p < partitions; ++p) {
    all.push_back({runtime::topic::kRemediations, p, kafka::kOffsetBeginning});
    all.push_back({runtime::topic::kAlarms, p, kafka::kOffsetBeginning});
  }
  if (Status assigned = (*consumer)->Assign(all); !assigned.ok()) return assigned.error();
  return std::unique_ptr<LogReader>(
      new LogReader(std::move(consumer).value(), partitions, config.on_fatal, keeper));
}

LogReader::LogReader(std::unique_ptr<kafka::AssignedConsumer> consumer, std::int32_t partitions,
                     std::function<void(const Error&)> lost, Keeper& keeper)
    : consumer_(std::move(consumer)),
      partitions_(partitions),
      lost_(std::move(lost)),
      keeper_(keeper) {
  for (std::int32_t p = 0; p < partitions_; ++p) {
    behind_.insert({runtime::topic::kRemediations, p});
    behind_.insert({runtime::topic::kAlarms, p});
  }
  thread_ = std::thread([this] { Loop(); });
}

LogReader::~LogReader() { Stop(); }

void LogReader::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void LogReader::Take(const kafka::Record& record) {
  if (record.topic == runtime::topic::kAlarms) {
    keeper_.OnAlarm(record);
  } else {
    keeper_.OnRemediation(record);
  }
}

bool LogReader::Behind() {
  std::erase_if(behind_, [this](const auto& entry) {
    return consumer_->ReachedEnd(entry.first, entry.second);
  });
  return !behind_.empty();
}

void LogReader::Loop() {
  auto last_tick = std::chrono::steady_clock::now();
  while (!stop_) {
    Result<std::optional<kafka::Record>> record = consumer_->Poll(kPoll);
    connected_ = consumer_->connected();
    if (!record.ok()) {
      log::Error("read_failed", {{"problem", record.error().message}});
      // Part of a log was lost under us: only reading all of it anew tells what stands.
      if (record.error().code == ErrorCode::kNotFound && lost_) lost_(record.error());
      std::this_thread::sleep_for(kPoll);
    } else if (*record) {
      Take(**record);
    }
    if (!caught_up_) {
      if (Behind()) continue;
      caught_up_ = true;
      keeper_.CaughtUp();
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - last_tick >= kPoll) {
      last_tick = now;
      keeper_.Tick();
    }
  }
}

std::map<std::int32_t, std::int64_t> LogReader::Ends() const {
  std::map<std::int32_t, std::int64_t> ends;
  for (std::int32_t p = 0; p < partitions_; ++p) {
    const std::int64_t end = consumer_->KnownEnd(runtime::topic::kRemediations, p);
    if (end >= 0) ends[p] = end;
  }
  return ends;
}

}  // namespace liveops::remediation
