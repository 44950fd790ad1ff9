#include "services/rule-evaluation/service/hindsight.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/plan/parse.h"
#include "common/runtime/ownership.h"
#include "common/runtime/topics.h"
#include "services/rule-evaluation/codec/decoder.h"
#include "services/rule-evaluation/service/replay_filter.h"

namespace liveops::evaluation {
namespace {

namespace topic = runtime::topic;

constexpr std::uint64_t kProgressEvery = 2'000;  // records
constexpr Duration kEndSlack{2'000};             // ticks come each 250 ms
// Beyond the windows and holds of the alarm: how late its points may be judged, and its clear.
constexpr Duration kMargin{15 * 60'000};
constexpr std::size_t kGroupsToldMax = 10;
const std::string kScenarioPrefix = engine::ScenarioAlarmName("");

struct AlarmName {
  std::string service;
  std::string name;
};

// `service/name{label="value"}`
std::optional<AlarmName> SplitId(const std::string& alarm_id) {
  const std::size_t slash = alarm_id.find('/');
  if (slash == std::string::npos || slash == 0) return std::nullopt;
  AlarmName out{alarm_id.substr(0, slash),
                alarm_id.substr(slash + 1, alarm_id.find('{') - slash - 1)};
  return out.name.empty() ? std::nullopt : std::optional(std::move(out));
}

// How long before a moment the log must be known for the condition to be wholly known then.
Duration ReachOf(const plan::Condition& condition) {
  Duration longest{0};
  for (std::size_t i = 0; i < plan::TestCount(condition); ++i) {
    const plan::Test& test = plan::TestOf(condition, i);
    longest = std::max(longest, test.window + test.ago);
  }
  return longest + std::max(condition.hold, condition.quorum.slot * condition.quorum.of) + kMargin;
}

// And for all else that its state depends on.
Duration ReachOf(const plan::Alarm& alarm) {
  Duration longest = alarm.keep_firing;
  if (alarm.clear) longest = std::max(longest, alarm.clear->hold);
  for (const plan::Level& level : alarm.levels) {
    longest = std::max(longest, level.hold);
    if (level.clear) longest = std::max(longest, level.clear->hold);
  }
  if (alarm.flapping) longest = std::max(longest, alarm.flapping->within + alarm.flapping->quiet);
  return ReachOf(alarm.when) + longest;
}

// Of an alarm or a scenario of the plan; nullopt, and the names that there are, when it is none.
std::optional<Duration> ReachOf(const plan::Plan& plan, const std::string& name,
                                std::vector<std::string>& names) {
  for (const plan::Alarm& alarm : plan.alarms) {
    if (alarm.name == name) return ReachOf(alarm);
    names.push_back(alarm.name);
  }
  for (const plan::Remediation& remediation : plan.remediations) {
    names.push_back(engine::ScenarioAlarmName(remediation.name));
    if (names.back() == name) return ReachOf(remediation.when);
  }
  return std::nullopt;
}

// Does the alarm stand as its last word says? Closed is closed: pending has no word of its own.
bool Agrees(const engine::Transition& word, const std::vector<engine::AlarmView>& alarms) {
  for (const engine::AlarmView& view : alarms) {
    if (view.alarm_id != word.alarm_id) continue;
    if (!IsOpen(word.state)) return !IsOpen(view.state);
    return view.state == word.state && view.episode == word.episode;
  }
  return !IsOpen(word.state);
}

// Of an alert that others judge: each word of it is good for some minutes, as a rule for five.
bool IsForeign(const std::string& name) {
  return name.find(':') != std::string::npos && !name.starts_with(kScenarioPrefix);
}

struct Turn {
  explicit Turn(std::atomic<bool>& flag) : taken(flag), mine(!flag.exchange(true)) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (mine) taken = false;
  }
  std::atomic<bool>& taken;
  const bool mine;
};

std::string Version(std::uint64_t version) { return "plan version " + std::to_string(version); }

}  // namespace

AlarmWords::AlarmWords(std::string alarm_id)
    : alarm_id_(std::move(alarm_id)),
      plan_key_("plan/" + alarm_id_.substr(0, alarm_id_.find('/'))) {}

void AlarmWords::Read(const kafka::Record& record) {
  const bool claim = record.key.starts_with("claim/");
  if ((!claim && record.key != alarm_id_ && record.key != plan_key_) || record.value.empty())
    return;
  Result<AlarmEvent> event = DecodeAlarmRecord(record.value);
  if (!event.ok()) return;
  if (std::holds_alternative<ClaimEvent>(*event)) return filter_.Claim(record.offset);
  if (!filter_.Valid(runtime::EpochOf(record))) return;
  if (auto* transition = std::get_if<engine::Transition>(&*event)) {
    const bool repeated = !transitions_.empty() && !Later(*transition, transitions_.back());
    if (!repeated) transitions_.push_back(std::move(*transition));
  } else if (auto* plan = std::get_if<PlanInForce>(&*event)) {
    plans_.push_back(std::move(*plan));
  }
}

// One question on its way.
struct Hindsight::Case {
  Case(const std::string& alarm_id, const TimeMap& time_map) : words(alarm_id), map(time_map) {}

  PastAlarm past;
  AlarmWords words;
  TimeMap map;
  Duration reach{0};
  std::int64_t low = 0;    // first offset that is kept
  std::int64_t start = 0;  // of the replay
  std::int64_t end = 0;    // about where `at` lies
  std::optional<engine::Shard> shard;

  // The plan in force at the moment must have the alarm; else the answer is why not.
  bool ReadPlan(const AlarmName& name);
  void Begin(const engine::ShardLimits& limits);
  void Conclude(const AlarmName& name);
};

bool Hindsight::Case::ReadPlan(const AlarmName& name) {
  const PlanInForce* then = nullptr;
  for (const PlanInForce& plan : words.plans()) {
    if (plan.clock <= past.at) then = &plan;
  }
  if (IsForeign(name.name)) {
    reach = kMargin;
    if (then == nullptr) return true;
    past.plan_version = then->version;
    past.plan_applied_by = then->applied_by;
    return true;
  }
  if (then == nullptr) {
    past.why_not = words.plans().empty()
                       ? "no plan of " + name.service + " has come into force yet"
                       : "no plan of " + name.service + " was in force then; the first came at " +
                             FormatUtc(ToMs(words.plans().front().clock));
    return false;
  }
  past.plan_version = then->version;
  past.plan_applied_by = then->applied_by;
  const plan::ParseResult parsed = plan::Parse(then->text);
  if (!parsed.ok()) {
    past.why_not = Version(then->version) + ", in force then, cannot be read by this build";
    return false;
  }
  std::vector<std::string> names;
  const std::optional<Duration> needed = ReachOf(parsed.plan, name.name, names);
  if (!needed) {
    past.why_not = Version(then->version) + ", in force then, had no alarm \"" + name.name + "\"" +
                   Suggestion(name.name, names);
    return false;
  }
  reach = *needed;
  return true;
}

// As an owner begins in the middle of the log: the plan in force there, and the log's last word.
void Hindsight::Case::Begin(const engine::ShardLimits& limits) {
  shard.emplace(map, limits);
  if (start > 0) {
    std::vector<engine::PlanActivationView> plans;
    for (const PlanInForce& plan : words.plans()) {
      if (plan.source_offset < start)
        plans = {{plan.service, plan.version, plan.text, {}, plan.spread_from, plan.reads}};
    }
    shard->StartAt(plans);
  }
  const engine::Transition* last = nullptr;
  for (const engine::Transition& transition : words.transitions()) {
    if (transition.source_offset < start) last = &transition;
  }
  if (last != nullptr) (void)shard->Adopt(*last);
}

void Hindsight::Case::Conclude(const AlarmName& name) {
  if (past.records == 0) return;
  // Where a replay from the middle saw less than the owner did, the log wins.
  if (past.before && !Agrees(*past.before, shard->Alarms()))
    past.corrected = shard->Adopt(*past.before);
  for (engine::AlarmView& view : shard->Alarms()) {
    if (view.service != name.service || view.name != name.name) continue;
    if (view.alarm_id == past.alarm_id) {
      past.view = std::move(view);
      past.groups.clear();
      return;
    }
    if (past.groups.size() < kGroupsToldMax) past.groups.push_back(std::move(view.alarm_id));
  }
  past.why_not = "there was no group " + past.alarm_id + " then";
}

void Hindsight::Open(const TimeMap& time_map) {
  const std::lock_guard lock(mutex_);
  time_map_ = time_map;
}

Result<PastAlarm> Hindsight::Look(const std::string& alarm_id, Instant at,
                                  const Progress& progress) {
  const std::optional<AlarmName> name = SplitId(alarm_id);
  if (!name) {
    return InvalidError("\"" + Truncate(alarm_id, 100) +
                        "\" is not an alarm id: expected SERVICE/NAME, with its labels if it has "
                        "some");
  }
  const Turn turn(taken_);
  if (!turn.mine) return UnavailableError("another replay of the past is under way");
  std::optional<TimeMap> map;
  {
    const std::lock_guard lock(mutex_);
    map = time_map_;
  }
  if (!map) return UnavailableError("the topics are not known yet");
  auto consumer = make_consumer_();
  if (!consumer.ok()) return consumer.error();
  Case c(alarm_id, *map);
  PastAlarm& past = c.past;
  past.alarm_id = alarm_id;
  past.at = at;
  past.partition = PartitionOf(name->service, config_.partitions);
  if (Status s = runtime::ReadToEnd(**consumer, topic::kAlarms, past.partition,
                                    kafka::kOffsetBeginning, config_.read_timeout,
                                    [&c](const kafka::Record& record) { c.words.Read(record); });
      !s.ok()) {
    return s.error();
  }
  for (const engine::Transition& transition : c.words.transitions()) {
    if (transition.clock <= at) past.before = transition;
    if (transition.clock > at && !past.after) past.after = transition;
  }
  if (!c.ReadPlan(*name)) return past;
  if (Status s = Replay(**consumer, c, progress); !s.ok()) return s.error();
  c.Conclude(*name);
  return past;
}

Status Hindsight::FindStart(kafka::AssignedConsumer& consumer, Case& c) {
  c.past.wanted = c.past.at - std::max(c.reach, config_.lookback_min);
  const auto ends = consumer.Watermarks(topic::kMetrics, c.past.partition, config_.read_timeout);
  if (!ends.ok()) return ends.error();
  const auto offset_at = [&](Instant t) {
    return consumer.OffsetAt(topic::kMetrics, c.past.partition, c.map.ToReal(t),
                             config_.read_timeout);
  };
  const Result<std::int64_t> start = offset_at(c.past.wanted);
  if (!start.ok()) return start.error();
  const Result<std::int64_t> end = offset_at(c.past.at);
  if (!end.ok()) return end.error();
  c.low = ends->first;
  c.start = std::clamp(*start, c.low, ends->second);
  c.end = std::clamp(*end, c.start, ends->second);
  return {};
}

Status Hindsight::Replay(kafka::AssignedConsumer& consumer, Case& c, const Progress& progress) {
  if (Status s = FindStart(consumer, c); !s.ok()) return s;
  if (c.start == c.end) {
    c.past.why_not = c.low > 0 ? "the log of the samples no longer reaches back to then"
                               : "the log of the samples has nothing from before then";
    return {};
  }
  // Of a service that is spread the partition holds what the others said.
  engine::ShardLimits limits = config_.limits;
  limits.partition = c.past.partition;
  limits.partitions = config_.partitions;
  c.Begin(limits);
  return Feed(consumer, c, progress);
}

Status Hindsight::Feed(kafka::AssignedConsumer& consumer, Case& c, const Progress& progress) {
  PastAlarm& past = c.past;
  if (Status s = consumer.Assign({{topic::kMetrics, past.partition, c.start}}); !s.ok()) return s;
  const SteadyTime until = std::chrono::steady_clock::now() + config_.replay_time_max;
  const auto all = static_cast<std::uint64_t>(c.end - c.start);
  Decoder decoder;
  std::vector<engine::Transition> told;  // the log has its own word on each
  for (std::int64_t next = c.start; next < c.end;) {
    if (std::chrono::steady_clock::now() > until) {
      past.why_not = "the replay took too long; it was given up at " + FormatUtc(ToMs(past.to));
      past.records = 0;
      return {};
    }
    auto record = consumer.Poll(Duration(50));
    if (!record.ok()) return record.error();
    if (!*record) continue;
    next = (*record)->offset + 1;
    const Instant time = c.map.ToDomain((*record)->append_time);
    if ((*record)->offset >= c.end || time > past.at) break;
    if (past.records++ == 0) {
      past.first_offset = (*record)->offset;
      past.from = time;
    }
    past.last_offset = (*record)->offset;
    past.to = time;
    // What cannot be read was no part of the verdict at the time either.
    const auto view = decoder.Decode((*record)->offset, (*record)->append_time, (*record)->value);
    if (view.ok()) c.shard->Apply(**view, told);
    told.clear();
    if (past.records % kProgressEvery == 0 && progress && !progress(past.records, all))
      return TimeoutError("given up");
  }
  if (past.records == 0) past.why_not = "the log of the samples no longer reaches back to then";
  past.begins_late = past.records > 0 && c.low > 0 && c.start == c.low && past.from > past.wanted;
  past.ends_early = past.records > 0 && past.at - past.to > c.map.ToDomain(kEndSlack);
  return {};
}

}  // namespace liveops::evaluation
