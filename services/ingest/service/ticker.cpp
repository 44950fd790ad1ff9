#include "services/ingest/service/ticker.h"

#include <chrono>
#include <string>
#include <vector>

#include "common/base/hash.h"
#include "common/runtime/topics.h"
#include "liveops/v1/metrics.pb.h"

namespace liveops::ingest {
namespace {

constexpr Duration kPeriod(250);

}  // namespace

void Ticker::TickOnce(SteadyTime now, bool goodbye) {
  const Settings& settings = core_.settings();
  std::vector<std::map<std::string, std::uint64_t>> refused(
      static_cast<std::size_t>(settings.partitions));
  for (const auto& [service, points] : core_.TakeRefused()) {
    refused[static_cast<std::size_t>(PartitionOf(service, settings.partitions))][service] = points;
  }
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
    auto& told = refused[static_cast<std::size_t>(partition)];
    std::string own;
    if (!told.empty()) {
      auto& field = *tick->mutable_refused_points();
      field.clear();
      field.insert(told.begin(), told.end());
      own = record.SerializeAsString();
    }
    const std::string& value =
        told.empty() ? common : own;  // before `told` moves into the callback
    core_.producer().Produce(
        runtime::topic::kMetrics, partition, settings.instance, value, {},
        [this, partition, told = std::move(told)](const Result<kafka::Delivery>& result) {
          core_.CountTick(result.ok());
          if (!result.ok()) return core_.GiveBackRefused(told);
          core_.clock().Report(partition, result->append_time, std::chrono::steady_clock::now());
        });
  }
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
