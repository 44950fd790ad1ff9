#include "services/notifier/service/line_follower.h"

#include <chrono>
#include <vector>

#include "common/runtime/topics.h"
#include "common/telemetry/log.h"

namespace liveops::notifier {
namespace {

constexpr Duration kPoll{250};
constexpr Duration kErrorPause{1000};

}  // namespace

void LineFollower::Once(SteadyTime now) {
  if (!assigned_) {
    std::vector<kafka::PartitionOffset> ends;
    for (std::int32_t p = 0; p < partitions_; ++p)
      ends.push_back({runtime::topic::kLogs, p, kafka::kOffsetEnd});
    if (const Status s = consumer_->Assign(ends); !s) {
      log::Warn("log_lines_not_followed", {{"error", s.error().message}});
      return;
    }
    assigned_ = true;
  }
  const auto record = consumer_->Poll(kPoll);
  if (!record) {
    log::Warn("log_lines_not_followed", {{"error", record.error().message}});
    assigned_ = false;
    return;
  }
  if (!*record) return;
  if (pace_.TooMuch((*record)->value.size(), now)) {
    // What lies between here and the end is passed over, so that what comes after it is news.
    assigned_ = false;
    return;
  }
  v1::LogBatch batch;
  if (!batch.ParseFromString((*record)->value)) return;
  lines_.Read(batch);
  exemplars_.Read(batch);
}

void LineFollower::Start() {
  thread_ = std::thread([this] {
    while (!stop_) {
      Once(std::chrono::steady_clock::now());
      if (!assigned_ && !stop_) std::this_thread::sleep_for(kErrorPause);
    }
  });
}

void LineFollower::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

}  // namespace liveops::notifier
