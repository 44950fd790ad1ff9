#include "services/rule-evaluation/service/log_follower.h"

#include <chrono>
#include <optional>
#include <vector>

#include "common/telemetry/log.h"

namespace liveops::evaluation {
namespace {
constexpr Duration kPollTime{100};
constexpr auto kErrorPause = std::chrono::milliseconds(250);
}  // namespace

LogFollower::~LogFollower() { Stop(); }

void LogFollower::Start() {
  thread_ = std::thread([this] { Run(); });
}

void LogFollower::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void LogFollower::Follow(const std::string& topic, std::int32_t partition, std::int64_t from,
                         Handler handler) {
  const std::lock_guard lock(followed_mutex_);
  followed_.insert_or_assign({topic, partition}, Followed{from, std::move(handler)});
  dirty_ = true;
}

void LogFollower::Unfollow(const std::string& topic, std::int32_t partition) {
  const std::lock_guard lock(followed_mutex_);
  if (followed_.erase({topic, partition}) > 0) dirty_ = true;
}

void LogFollower::Reassign() {
  std::vector<kafka::PartitionOffset> partitions;
  {
    const std::lock_guard lock(followed_mutex_);
    dirty_ = false;
    for (const auto& [where, followed] : followed_) {
      partitions.push_back({where.first, where.second, followed.next});
    }
  }
  if (Status s = consumer_->Assign(partitions); !s.ok()) {
    log::Warn("follow_failed", {{"error", s.error().message}});
    dirty_ = true;
  }
}

// Retention or compaction removed the offset that we wanted: go on at the first that is kept.
void LogFollower::SkipVanished() {
  std::vector<std::pair<std::string, std::int32_t>> all;
  {
    const std::lock_guard lock(followed_mutex_);
    for (const auto& [where, followed] : followed_) all.push_back(where);
  }
  for (const auto& [topic, partition] : all) {
    const auto ends = consumer_->Watermarks(topic, partition, Duration(2'000));
    if (!ends.ok()) continue;
    const std::lock_guard lock(followed_mutex_);
    const auto it = followed_.find({topic, partition});
    if (it == followed_.end()) continue;
    if (it->second.next < ends->first || it->second.next > ends->second) {
      log::Warn("log_offset_gone", {{"topic", topic},
                                    {"partition", static_cast<std::int64_t>(partition)},
                                    {"offset", it->second.next},
                                    {"first_kept", ends->first}});
      it->second.next = ends->first;
    }
  }
  dirty_ = true;
}

void LogFollower::Dispatch(kafka::Record&& record) {
  Handler handler;
  {
    const std::lock_guard lock(followed_mutex_);
    const auto it = followed_.find({record.topic, record.partition});
    // A record fetched under an older assignment may lie before or beyond what is wanted.
    if (it == followed_.end() || record.offset < it->second.next) return;
    it->second.next = record.offset + 1;
    handler = it->second.handler;
  }
  handler(std::move(record));
}

void LogFollower::Run() {
  while (!stop_) {
    if (dirty_) Reassign();
    Result<std::optional<kafka::Record>> polled = consumer_->Poll(kPollTime);
    if (polled.ok()) {
      if (*polled && !dirty_) Dispatch(std::move(**polled));
      continue;
    }
    if (polled.error().code == ErrorCode::kNotFound) {
      SkipVanished();
    } else {
      log::Warn("follow_failed", {{"error", polled.error().message}});
    }
    if (!stop_) std::this_thread::sleep_for(kErrorPause);
  }
}

}  // namespace liveops::evaluation
