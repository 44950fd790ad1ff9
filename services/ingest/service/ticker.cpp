#include "services/ingest/service/ticker.h"

#include <chrono>
#include <string>

#include "common/runtime/topics.h"
#include "liveops/v1/metrics.pb.h"

namespace liveops::ingest {
namespace {

constexpr Duration kPeriod(250);

// The tick in `record` with what was refused, in at most `bytes_max`.
std::string WithRefusals(v1::ShardRecord& record, const Refusals& told, std::size_t bytes_max) {
  v1::Tick& tick = *record.mutable_tick();
  auto& points = *tick.mutable_refused_points();
  points.clear();
  points.insert(told.points.begin(), told.points.end());
  tick.set_refused_any_service(told.all);
  std::string bytes = record.SerializeAsString();
  if (bytes.size() <= bytes_max) return bytes;
  points.clear();
  tick.set_refused_any_service(true);
  return record.SerializeAsString();
}

}  // namespace

void Ticker::TickOnce(SteadyTime now, bool goodbye) {
  if (before_) before_(now, goodbye);
  const Settings& settings = core_.settings();
  v1::ShardRecord record;
  record.mutable_source()->set_emitter(settings.instance);  // no sequence: an old tick is harmless
  record.mutable_source()->set_session(settings.session);
  v1::Tick* const tick = record.mutable_tick();
  tick->set_instance(settings.instance);
  tick->set_session(settings.session);
  tick->set_steady_ms(SteadyMs(now));
  tick->set_accepting(core_.accepting() && !goodbye);
  tick->set_goodbye(goodbye);
  const std::string common = record.SerializeAsString();  // most partitions get these very bytes

  for (std::int32_t partition = 0; partition < settings.partitions; ++partition) {
    Refusals told = core_.refusals().Take(partition);
    std::string own;
    if (!told.empty()) own = WithRefusals(record, told, settings.record_bytes_max);
    const std::string& value =
        told.empty() ? common : own;  // before `told` moves into the callback
    core_.producer().Produce(
        runtime::topic::kMetrics, partition, settings.instance, value, {},
        [this, partition, told = std::move(told)](const Result<kafka::Delivery>& result) {
          core_.CountTick(result.ok());
          if (!result.ok()) return GiveBack(partition, told, result.error());
          core_.clock().Report(partition, result->append_time, std::chrono::steady_clock::now());
        });
  }
}

void Ticker::GiveBack(std::int32_t partition, const Refusals& told, const Error& why) {
  if (told.empty()) return;
  // What the broker will never take would stop all ticks after it: it is said in fewer words.
  const bool never = why.code == ErrorCode::kInvalid;
  core_.refusals().GiveBack(partition, never ? Refusals{{}, true} : told);
}

void Ticker::Start() {
  const std::lock_guard lock(mutex_);
  if (thread_.joinable()) return;
  stopping_ = false;
  thread_ = std::thread([this] { Run(); });
}

void Ticker::Run() {
  auto next = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const auto now = std::chrono::steady_clock::now();
    TickOnce(now, false);
    // After a pause of this process there is nothing to catch up with.
    next = std::max(next + kPeriod, now + kPeriod / 2);
    lock.lock();
    wake_.wait_until(lock, next, [this] { return stopping_; });
  }
}

void Ticker::Stop() {
  std::thread thread;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    thread.swap(thread_);
  }
  wake_.notify_all();
  if (thread.joinable()) thread.join();
}

void Ticker::Leave() {
  Stop();
  TickOnce(std::chrono::steady_clock::now(), true);
}

}  // namespace liveops::ingest
