#include "services/notifier/service/service.h"

#include <time.h>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/runtime/topics.h"
#include "common/telemetry/log.h"
#include "liveops/v1/operations.pb.h"
#include "services/notifier/service/with_core.h"

namespace liveops::notifier {
namespace {

constexpr Duration kPoll{250};
constexpr Duration kAckPatience{5'000};
constexpr Duration kStandBy{5'000};
// Of log lines, which nobody waits for.
constexpr kafka::Gather kLinesGather{Duration(250), 1 << 16};

}  // namespace

Duration BootClock() {
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return Duration(static_cast<std::int64_t>(t.tv_sec) * 1000 + t.tv_nsec / 1'000'000);
}

Now PresentNow() { return {std::chrono::steady_clock::now(), BootClock()}; }

NotifierService::NotifierService(const runtime::CommonConfig& config, Settings settings,
                                 TimeMap time_map)
    : config_(config),
      partition_count_(config.topics.partitions),
      time_map_(time_map),
      writer_(config.instance, runtime::NewSession()),
      core_(settings, time_map, config.topics.partitions, writer_) {
  core_.registry().ShowErrorLines(&error_lines_);
  core_.registry().ShowExemplars(&exemplars_);
  sender_ = std::make_unique<http::Sender>(settings.http);
  dedup_ = std::make_unique<DedupTable>(
      settings.redis,
      [this](const DedupQuestion& question, DedupView::State state, Instant until, bool rebuild) {
        WithCore([&](Core& core) {
          return core.OnDedup(question, state, until, rebuild, PresentNow());
        });
      });
}

NotifierService::~NotifierService() {
  Stop();
  // Their callbacks use the members below them: they end first.
  dedup_.reset();
  sender_.reset();
  producer_.reset();
}

Status NotifierService::Start() {
  started_ = std::chrono::steady_clock::now();
  auto producer = kafka::Producer::Create(config_.kafka);
  if (!producer.ok()) return producer.error();
  producer_ = std::move(*producer);
  for (Part* part : {&alarms_, &others_}) {
    auto consumer = kafka::AssignedConsumer::Create(config_.kafka);
    if (!consumer.ok()) return consumer.error();
    part->consumer = std::move(*consumer);
    if (Status s = Assign(*part); !s.ok()) return s;
  }
  auto lines = kafka::AssignedConsumer::Create(config_.kafka, kLinesGather);
  if (!lines.ok()) return lines.error();
  line_follower_ =
      std::make_unique<LineFollower>(std::move(*lines), partition_count_, error_lines_, exemplars_);
  kafka::GroupConsumer::Options options;
  options.topic = runtime::topic::kNotifications;
  options.group = "liveops-notifier";
  options.instance = config_.instance;
  options.on_assigned = [this](const auto& partitions) { return OnAssigned(partitions); };
  options.on_revoked = [this](const auto& partitions) { OnRevoked(partitions); };
  auto group = kafka::GroupConsumer::Create(config_.kafka, std::move(options));
  if (!group.ok()) return group.error();
  group_ = std::move(*group);
  line_follower_->Start();
  timer_thread_ = std::thread([this] { KeepTime(); });
  alarms_thread_ = std::thread([this] { Follow(alarms_); });
  others_thread_ = std::thread([this] { Follow(others_); });
  group_thread_ = std::thread([this] { FollowNotifications(); });
  return {};
}

void NotifierService::Stop() {
  if (stop_.exchange(true)) return;
  if (group_thread_.joinable()) group_thread_.join();  // drains and lets go in order
  for (std::thread* part : {&alarms_thread_, &others_thread_}) {
    if (part->joinable()) part->join();
  }
  if (line_follower_) line_follower_->Stop();
  stop_time_ = true;
  timer_.notify_all();
  if (timer_thread_.joinable()) timer_thread_.join();
  if (producer_) producer_->Flush(Duration(2000));
}

// --- desired state ---

Status NotifierService::Assign(Part& part) {
  std::vector<kafka::PartitionOffset> all;
  for (const char* topic : part.topics) {
    for (std::int32_t p = 0; p < partition_count_; ++p) {
      all.push_back({topic, p, kafka::kOffsetBeginning});
      part.behind.insert({topic, p});
    }
  }
  return part.consumer->Assign(all);
}

void NotifierService::Follow(Part& part) {
  bool caught_up = false;
  while (!stop_) {
    if (!caught_up) {
      std::erase_if(part.behind, [&](const auto& entry) {
        return part.consumer->ReachedEnd(entry.first, entry.second);
      });
      caught_up = part.behind.empty();
      if (caught_up) PartCaughtUp();
    }
    auto record = part.consumer->Poll(kPoll);
    if (!record.ok()) {
      log::Error("desired_state_unreadable", {{"why", record.error().message}});
      // Part of the log was lost under us, and what was desired with it: only reading all of it
      // anew, by a fresh start, can tell.
      if (record.error().code == ErrorCode::kNotFound && config_.kafka.on_fatal) {
        config_.kafka.on_fatal(record.error());
      }
      std::this_thread::sleep_for(Duration(500));
      continue;
    }
    if (*record) OnDesiredRecord(**record);
  }
}

void NotifierService::PartCaughtUp() {
  if (--parts_behind_ > 0) return;
  WithCore([&](Core& core) { return core.OnCaughtUp(PresentNow()); });
  log::Info("caught_up", {});
}

void NotifierService::OnDesiredRecord(const kafka::Record& record) {
  WithCore([&](Core& core) {
    const Now now = PresentNow();
    if (record.topic == runtime::topic::kAlarms) return core.OnAlarms(record, now);
    if (record.topic == runtime::topic::kOperations) return core.OnOperations(record, now);
    return core.OnRemediations(record, now);
  });
}

// --- time ---

void NotifierService::KeepTime() {
  while (!stop_time_) {
    {
      std::unique_lock lock(mutex_);
      const SteadyTime now = std::chrono::steady_clock::now();
      SteadyTime until = now + std::chrono::seconds(1);  // failed writes are looked at then
      if (const auto wake = core_.NextWake()) until = std::min(until, *wake);
      planned_wake_ = until;
      if (until > now) timer_.wait_until(lock, until);
      planned_wake_.reset();
    }
    RetryFailedWrites();
    bool due = false;
    {
      const std::lock_guard lock(mutex_);
      const auto wake = core_.NextWake();
      due = wake && *wake <= std::chrono::steady_clock::now();
    }
    if (due) WithCore([](Core& core) { return core.OnTime(PresentNow()); });
  }
}

void NotifierService::RetryFailedWrites() {
  std::vector<FailedWrite> failed;
  {
    const std::lock_guard lock(failures_mutex_);
    failed.swap(failures_);
  }
  for (const FailedWrite& f : failed) {
    WithCore([&](Core& core) {
      return core.OnWriteFailed(f.destination, f.group, f.attempt, PresentNow());
    });
  }
}

// --- effects ---

void NotifierService::CarryOut(Effects effects, std::vector<LogLine>& lines) {
  for (Effect& effect : effects) {
    if (auto* write = std::get_if<WriteRecord>(&effect)) {
      Produce(*write);
    } else if (auto* send = std::get_if<SendRequest>(&effect)) {
      SendOut(std::move(*send));
    } else if (auto* question = std::get_if<DedupQuestion>(&effect)) {
      dedup_->Ask(std::move(*question));
    } else if (auto* store = std::get_if<DedupStore>(&effect)) {
      dedup_->Store(std::move(*store));
    } else if (auto* reclaim = std::get_if<Reclaim>(&effect)) {
      reclaims_.insert(reclaim->partition);
    } else if (auto* dead = std::get_if<DeadLetterNote>(&effect)) {
      kafka::Record record;
      record.topic = dead->topic;
      record.partition = dead->partition;
      record.offset = dead->offset;
      record.key = dead->key;
      record.value = dead->value;
      runtime::DeadLetter(*producer_, record, dead->why);
    } else {
      lines.push_back(std::move(std::get<LogLine>(effect)));
    }
  }
}

void NotifierService::Produce(const WriteRecord& record) {
  producer_->Produce(runtime::topic::kNotifications, record.partition, record.key, record.value,
                     runtime::OwnerHeaders(record.epoch, record.traceparent),
                     [this, destination = record.destination, group = record.group,
                      attempt = record.attempt](const Result<kafka::Delivery>& result) {
                       if (result.ok() || destination.empty()) return;
                       // May run inside Produce, under the core's lock: only noted here.
                       const std::lock_guard lock(failures_mutex_);
                       failures_.push_back({destination, group, attempt});
                     });
}

void NotifierService::SendOut(SendRequest send) {
  send.request.still_wanted = [good_until = send.good_until] { return BootClock() <= good_until; };
  sender_->Send(std::move(send.request), [this, token = send.token](const http::Outcome& outcome) {
    const std::int64_t wall = ToMs(WallClockNow());
    WithCore([&](Core& core) { return core.OnAnswer(token, outcome, PresentNow(), wall); });
  });
}

// --- questions ---

bool NotifierService::ready() const {
  const bool joined = joined_ || std::chrono::steady_clock::now() - started_ > kStandBy;
  return joined && caught_up();
}

bool NotifierService::caught_up() const {
  const std::lock_guard lock(mutex_);
  return core_.caught_up();
}

Result<Acknowledgement> NotifierService::Acknowledge(const std::string& alarm_id,
                                                     const std::string& by) {
  const std::uint64_t sequence = writer_.Next();
  Acknowledgement answer;
  std::string group_id;
  {
    const std::lock_guard lock(mutex_);
    if (!core_.caught_up()) return UnavailableError("still reading what is open");
    const Group* group = core_.registry().FindOpen(alarm_id);
    if (!group) {
      return NotFoundError("no open alarm \"" + alarm_id + "\"" +
                           Suggestion(alarm_id, core_.registry().OpenAlarms()));
    }
    group_id = group->id;
    answer.alarm_id = group->alarm_id;
    answer.episode = group->episode;
    if (const Acknowledged* ack = core_.registry().AcknowledgedBy(group_id)) {
      answer.by = ack->by;
      answer.already = true;
      return answer;
    }
  }
  v1::OperationRecord record;
  record.mutable_source()->set_emitter(writer_.emitter());
  record.mutable_source()->set_session(writer_.session());
  record.mutable_source()->set_sequence(sequence);
  v1::Acknowledgement& ack = *record.mutable_acknowledgement();
  ack.set_alarm_id(alarm_id);
  ack.set_episode_ms(ToMs(answer.episode));
  ack.set_by(by);
  ack.set_at_unix_ms(ToMs(WallClockNow()));
  auto written =
      producer_->ProduceSync(runtime::topic::kOperations, PartitionOf(alarm_id, partition_count_),
                             alarm_id, record.SerializeAsString());
  if (!written.ok()) return written.error();
  // The first in the log has it: only the log can say who that is.
  std::unique_lock lock(mutex_);
  const bool seen = changed_.wait_for(
      lock, kAckPatience, [&] { return core_.registry().AcknowledgedBy(group_id) != nullptr; });
  if (!seen) return TimeoutError("written, but not read back within 5 s");
  const Acknowledged& first = *core_.registry().AcknowledgedBy(group_id);
  answer.by = first.by;
  answer.already = first.session != writer_.session() || first.sequence != sequence;
  return answer;
}

Result<std::vector<v1::DeliveryState>> NotifierService::Deliveries(const std::string& alarm_id) {
  const std::lock_guard lock(mutex_);
  if (!core_.caught_up()) return UnavailableError("still reading what was delivered");
  return core_.Deliveries(alarm_id);
}

StatusView NotifierService::GetStatus() {
  StatusView view;
  view.kafka_connected = producer_ && producer_->connected();
  view.redis_connected = dedup_->connected();
  const std::lock_guard lock(mutex_);
  view.caught_up = core_.caught_up();
  view.groups = core_.registry().size();
  view.waiting = core_.Waiting();
  view.counters = core_.counters();
  view.page_latency = core_.page_latency().Read();
  view.clock_ms = ToMs(core_.DomainClock(PresentNow()));
  for (std::int32_t p = 0; p < partition_count_; ++p) {
    const auto at = positions_.find({runtime::topic::kNotifications, p});
    const std::int64_t position = at == positions_.end() ? 0 : at->second;
    const std::int64_t end = group_ ? group_->KnownEnd(p) : -1;
    view.partitions.push_back({p, core_.EpochOf(p), position, std::max(position, end)});
  }
  return view;
}

}  // namespace liveops::notifier
