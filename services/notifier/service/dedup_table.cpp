#include "services/notifier/service/dedup_table.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <variant>

#include "common/telemetry/log.h"

namespace liveops::notifier {
namespace {

constexpr std::size_t kQueueMax = 10'000;
constexpr std::size_t kBatch = 500;
constexpr Duration kPing{5'000};             // so that Redis away is noticed without a question
constexpr const char* kTtlMs = "604800000";  // 7 days: longer than any window

std::string MarkKey(std::int32_t partition) {
  return "liveops:notifier:dedup:" + std::to_string(partition);
}

std::string WindowKey(std::int32_t partition, const std::string& destination,
                      const std::string& alarm_id) {
  return MarkKey(partition) + ":" + destination + ":" + alarm_id;
}

}  // namespace

struct DedupTable::Impl {
  Impl(redis::Config config, Answered given) : client(std::move(config)), answered(given) {
    thread = std::thread([this] {
      Note(client.Run({"PING"}).ok());
      Loop();
    });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    wake.notify_all();
    thread.join();
  }

  void Push(std::variant<DedupQuestion, DedupStore> job) {
    {
      const std::lock_guard lock(mutex);
      if (queue.size() >= kQueueMax) {
        // Windows are lost: what is in Redis can no longer be trusted, and says so by its mark.
        if (const auto* store = std::get_if<DedupStore>(&job)) dropped.insert(store->partition);
        return;
      }
      queue.push_back(std::move(job));
    }
    wake.notify_one();
  }

  void Loop() {
    while (true) {
      std::variant<DedupQuestion, DedupStore> job;
      {
        std::unique_lock lock(mutex);
        wake.wait_for(lock, kPing, [&] { return stop || !queue.empty(); });
        if (stop) return;
        if (queue.empty()) {
          lock.unlock();
          Note(client.Run({"PING"}).ok());
          continue;
        }
        job = std::move(queue.front());
        queue.pop_front();
        distrusted.merge(dropped);
        dropped.clear();
      }
      if (const auto* question = std::get_if<DedupQuestion>(&job)) {
        Answer(*question);
      } else {
        Write(std::get<DedupStore>(job));
      }
    }
  }

  void Note(bool ok) {
    if (ok != up) {
      if (ok) {
        log::Info("redis_connected");
      } else {
        log::Warn("redis_away", {{"detail", "dedup windows cannot be told: pages go out"}});
      }
    }
    up = ok;
  }

  void Answer(const DedupQuestion& q) {
    const auto cannot_tell = [&] { answered(q, DedupView::State::kCannotTell, {}, true); };
    if (distrusted.contains(q.partition)) return cannot_tell();
    auto reply = client.Run(
        {"MGET", MarkKey(q.partition), WindowKey(q.partition, q.destination, q.alarm_id)});
    Note(reply.ok());
    if (!reply.ok() || reply->array.size() != 2) return cannot_tell();
    if (reply->array[0].text != std::to_string(q.epoch)) return cannot_tell();
    if (reply->array[1].nil()) return answered(q, DedupView::State::kFree, {}, false);
    answered(q, DedupView::State::kHeld, InstantFromMs(std::atoll(reply->array[1].text.c_str())),
             false);
  }

  void Write(const DedupStore& store) {
    std::vector<redis::Command> commands;
    bool ok = true;
    const auto flush = [&] {
      if (ok && !commands.empty()) ok = client.RunAll(commands).ok();
      commands.clear();
    };
    for (const DedupWindow& window : store.windows) {
      commands.push_back({"SET", WindowKey(store.partition, window.destination, window.alarm_id),
                          std::to_string(ToMs(window.until)), "PX", kTtlMs});
      if (commands.size() >= kBatch) flush();
    }
    if (store.rebuild) {
      commands.push_back({"SET", MarkKey(store.partition), std::to_string(store.epoch)});
    }
    flush();
    Note(ok);
    if (!ok) {
      distrusted.insert(store.partition);
    } else if (store.rebuild) {
      distrusted.erase(store.partition);
      log::Debug("dedup_windows_rebuilt",
                 {{"partition", store.partition}, {"windows", store.windows.size()}});
    }
  }

  redis::Client client;
  Answered answered;
  bool up = true;                     // this thread's own
  std::set<std::int32_t> distrusted;  // a window was not stored; this thread's own
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::variant<DedupQuestion, DedupStore>> queue;  // guarded by mutex
  std::set<std::int32_t> dropped;                             // guarded by mutex
  bool stop = false;                                          // guarded by mutex
  std::thread thread;
};

DedupTable::DedupTable(redis::Config config, Answered answered)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(answered))) {}
DedupTable::~DedupTable() = default;
void DedupTable::Ask(DedupQuestion question) { impl_->Push(std::move(question)); }
void DedupTable::Store(DedupStore store) { impl_->Push(std::move(store)); }
bool DedupTable::connected() const { return impl_->client.connected(); }

}  // namespace liveops::notifier
