#include "services/ingest/service/plan_follower.h"

#include <chrono>

#include "common/runtime/topics.h"
#include "common/telemetry/log.h"

namespace liveops::ingest {
namespace {

using runtime::topic::kPlans;

constexpr Duration kPollTime(100);
constexpr Duration kPeriod(5000);
constexpr Duration kErrorPause(250);

}  // namespace

// A question for the end would block for as long as the broker is away; where one begins to read
// the broker says it by itself.
void PlanFollower::Begin(SteadyTime now) {
  if (const Status s = consumer_->Assign({{kPlans, 0, next_}}); !s) {
    log::Warn("plans_not_followed", {{"error", s.error().message}});
    return;
  }
  assigned_ = true;
  reads_on_ = true;
  begun_ = now;
}

void PlanFollower::Once(SteadyTime now) {
  // An end that was long in coming says little about the present.
  const bool due = now - begun_ >= kPeriod || !book_.Fresh(now);
  if (!assigned_ || (!reads_on_ && due)) Begin(now);
  if (!assigned_) return;
  Result<std::optional<kafka::Record>> polled = consumer_->Poll(kPollTime);
  if (!polled) {
    log::Warn("plans_not_followed", {{"error", polled.error().message}});
    // What is kept of the log no longer has that offset: the book takes a record twice.
    if (polled.error().code == ErrorCode::kNotFound) next_ = kafka::kOffsetBeginning;
    assigned_ = false;
    return;
  }
  if (*polled) {
    const kafka::Record& record = **polled;
    next_ = record.offset + 1;
    if (const Status s = book_.Read(record); !s) {
      log::Warn("plan_record_unreadable",
                {{"offset", record.offset}, {"error", s.error().message}});
    }
    log_rules_.Read(record);
    return;
  }
  if (!reads_on_ || !consumer_->ReachedEnd(kPlans, 0)) return;
  reads_on_ = false;
  book_.ReadToEnd(begun_);
}

void PlanFollower::Start() {
  thread_ = std::thread([this] {
    while (!stopping()) {
      Once(std::chrono::steady_clock::now());
      if (assigned_) continue;
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kErrorPause, [this] { return stopping_; });
    }
  });
}

bool PlanFollower::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void PlanFollower::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace liveops::ingest
