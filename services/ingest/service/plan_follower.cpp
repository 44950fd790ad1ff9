#include "services/ingest/service/plan_follower.h"

#include <chrono>

#include "common/runtime/topics.h"
#include "common/telemetry/log.h"

namespace liveops::ingest {
namespace {

using runtime::topic::kPlans;

constexpr Duration kPollTime(100);
constexpr Duration kAskPeriod(5000);
constexpr Duration kAskPeriodStale(500);
constexpr Duration kAskTimeout(1500);
constexpr Duration kErrorPause(250);

}  // namespace

void PlanFollower::Begin(SteadyTime now) {
  if (const Status s = consumer_->Assign({{kPlans, 0, next_}}); !s) {
    log::Warn("plans_not_followed", {{"error", s.error().message}});
    return;
  }
  assigned_ = true;
  reads_on_ = true;
  begun_ = now;
  ask_at_ = now + kAskPeriod;
}

void PlanFollower::AskForEnd(SteadyTime now) {
  const auto ends = consumer_->Watermarks(kPlans, 0, kAskTimeout);
  ask_at_ = now + (book_.Fresh(now) ? kAskPeriod : kAskPeriodStale);
  if (!ends) return;
  const bool empty = ends->first == ends->second;
  if (empty || next_ >= ends->second) return book_.ReadToEnd(now);
  // Either more is on its way, or the last records are gone and their offsets never come: to read
  // on from here tells it, since the broker then says where the end is.
  if (!reads_on_) assigned_ = false;
}

void PlanFollower::Once(SteadyTime now) {
  if (!assigned_) Begin(now);
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
    return;
  }
  if (reads_on_ && consumer_->ReachedEnd(kPlans, 0)) {
    reads_on_ = false;
    book_.ReadToEnd(begun_);
  }
  if (now >= ask_at_) AskForEnd(now);
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
