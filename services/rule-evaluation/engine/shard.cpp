#include "services/rule-evaluation/engine/shard.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <type_traits>
#include <utility>

#include "services/rule-evaluation/engine/activate.h"
#include "services/rule-evaluation/engine/rollup_parts.h"
#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {

struct Shard::Impl {
  explicit Impl(const TimeMap& time_map, ShardLimits limits) : state(time_map, limits) {}
  State state;
};

Shard::Shard(const TimeMap& time_map, ShardLimits limits)
    : impl_(std::make_unique<Impl>(time_map, limits)) {}
Shard::Shard(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Shard::~Shard() = default;
Shard::Shard(Shard&&) noexcept = default;
Shard& Shard::operator=(Shard&&) noexcept = default;

namespace {

// Ticks tell of their instance, not of a sender: they are as new as their offset.
bool SeenBefore(State& s, const RecordView& record) {
  if (record.source.sequence == 0 || std::holds_alternative<TickView>(record.body)) return false;
  if (s.sessions.Accept(record.source.emitter, record.source.session, record.source.sequence,
                        s.now())) {
    return false;
  }
  if (const auto* batch = std::get_if<BatchView>(&record.body)) {
    s.counters.points_duplicate += batch->point_series.size() + batch->histograms.size();
  }
  return true;
}

void ApplyBody(State& s, const RecordView& record, std::vector<Transition>& out) {
  std::visit(
      [&](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, BatchView>) {
          ApplyBatch(s, record.offset, record.source.sequence != 0, body);
        } else if constexpr (std::is_same_v<Body, TickView>) {
          ApplyTick(s, body);
        } else if constexpr (std::is_same_v<Body, PlanActivationView>) {
          ActivatePlan(s, body, out);
        } else if constexpr (std::is_same_v<Body, DeploymentView>) {
          ApplyDeployment(s, body);
        } else if constexpr (std::is_same_v<Body, DecommissionView>) {
          ApplyDecommission(s, body, out);
        } else if constexpr (std::is_same_v<Body, ReadingsView>) {
          TakeReadings(s, body);
          JudgeHomes(s, out);
        } else if constexpr (std::is_same_v<Body, ExternalAlertView>) {
          TakeForeign(s, body, out);
        } else {
          StartProbe(s, body, out);
        }
      },
      record.body);
}

}  // namespace

void Shard::Apply(const RecordView& record, std::vector<Transition>& out,
                  std::vector<Readings>& told) {
  Apply(record, out);
  std::move(impl_->state.told.begin(), impl_->state.told.end(), std::back_inserter(told));
  impl_->state.told.clear();
}

void Shard::Apply(const RecordView& record, std::vector<Transition>& out) {
  State& s = impl_->state;
  s.told.clear();
  s.rolled.clear();
  if (record.offset <= s.position) return;
  TakeRollups(s, record.offset);
  s.position = record.offset;
  ++s.counters.records;

  AdvanceClock(s, record);  // 1. what time it is, as far as it can be believed
  WithdrawAdopted(s, out);  //    (after a restart: what the plan no longer knows)
  JudgeDue(s, out);         // 2. what the watermark passed by it
  if (!s.homes.empty()) JudgeHomes(s, out);
  JudgeForeign(s, out);
  ForgetQuiet(s);  //    (before it says anything: then it is one that returns)
  if (!SeenBefore(s, record)) {
    ApplyBody(s, record, out);  // 3. what the record says
    JudgeTouched(s, out);       // 4. what cannot be undone any more
  }
  Housekeep(s);  // 5. what has no more use
  if (!s.overflowing.empty()) TellOverflows(s, out);
  RollUp(s);  // 6. what a replay would not bring back
}

std::vector<Rollup> Shard::TakeRolled() { return std::exchange(impl_->state.rolled, {}); }

void Shard::Await(std::deque<Rollup> rollups) {
  impl_->state.awaited = std::move(rollups);
  MarkAwaited(impl_->state);
}

std::size_t Shard::rollups_awaited() const { return impl_->state.awaited.size(); }

std::uint64_t Shard::rules_made_whole() const { return impl_->state.rules_whole; }

namespace {

// Has the rule a line of its own, beside or in place of its groups?
bool OwnView(const Rule& rule) {
  return Overflows(rule) || (rule.groups.empty() && rule.spec.judges());
}

}  // namespace

std::int64_t Shard::position() const { return impl_->state.position; }
Instant Shard::clock() const { return impl_->state.now(); }
const ShardCounters& Shard::counters() const { return impl_->state.counters; }
std::size_t Shard::series_known() const { return impl_->state.series.size(); }

std::uint64_t Shard::PlanVersion(std::string_view service) const {
  const Service* known = FindService(std::as_const(impl_->state), service);
  return known == nullptr ? 0 : known->version;
}

std::vector<ServiceRead> Shard::PlanReads(std::string_view service) const {
  std::vector<ServiceRead> reads;
  const Service* known = FindService(std::as_const(impl_->state), service);
  if (known == nullptr) return reads;
  for (const ReadFrom& read : known->reads) reads.push_back({read.service, read.spread, read.from});
  return reads;
}

std::vector<AlarmView> Shard::Alarms() const {
  const State& s = impl_->state;
  std::vector<AlarmView> views;
  for (const auto& service : s.services) {
    for (const auto& rule : service->rules) {
      if (!IsShown(*rule)) continue;
      if (OwnView(*rule)) views.push_back(PlaceholderOf(s, *rule));
      for (const auto& [key, group] : rule->groups) views.push_back(ViewOf(s, *rule, *group));
    }
    for (const auto& [id, alert] : service->foreign) {
      views.push_back(ViewOf(s, *service, id, alert));
    }
  }
  std::sort(views.begin(), views.end(),
            [](const AlarmView& a, const AlarmView& b) { return a.alarm_id < b.alarm_id; });
  return views;
}

std::vector<AlarmView> Shard::TakeChanged(std::vector<std::string>& gone) {
  State& s = impl_->state;
  std::vector<AlarmView> views;
  if (s.changes == 0) return views;
  s.changes = 0;
  std::set<std::string> left(s.gone.begin(), s.gone.end());
  s.gone.clear();
  for (const auto& service : s.services) {
    for (const auto& rule : service->rules) {
      if (!IsShown(*rule)) continue;
      if (OwnView(*rule)) {
        left.erase(AlarmId(service->name, rule->spec.name, {}));
        if (rule->changed) views.push_back(PlaceholderOf(s, *rule));
        rule->placeholder_told = true;
      } else if (rule->placeholder_told) {
        rule->placeholder_told = false;
        if (!rule->spec.when.by.empty()) left.insert(AlarmId(service->name, rule->spec.name, {}));
      }
      rule->changed = false;
      for (const auto& [key, group] : rule->groups) {
        if (!left.empty()) left.erase(AlarmId(service->name, rule->spec.name, group->labels));
        if (!group->changed) continue;
        group->changed = false;
        views.push_back(ViewOf(s, *rule, *group));
      }
    }
    for (auto& [id, alert] : service->foreign) {
      left.erase(id);
      if (std::exchange(alert.changed, false)) views.push_back(ViewOf(s, *service, id, alert));
    }
  }
  gone.insert(gone.end(), left.begin(), left.end());
  return views;
}

std::vector<std::string> Shard::Sections() const { return WriteState(impl_->state); }

void Shard::BeginCut() { engine::BeginCut(impl_->state); }

Shard::CutState Shard::ContinueCut(std::size_t bytes) {
  State& s = impl_->state;
  if (!s.cut) return CutState::kNone;
  return engine::ContinueCut(s, bytes) ? CutState::kWhole : CutState::kGoing;
}

std::int64_t Shard::CutPosition() const {
  return impl_->state.cut ? impl_->state.cut->position : -1;
}

std::vector<std::string> Shard::TakeCut() {
  std::unique_ptr<Cut> cut = std::move(impl_->state.cut);
  return cut && cut->left == 0 ? std::move(cut->sections) : std::vector<std::string>();
}

Result<Shard> Shard::Restore(std::span<const std::string_view> sections, const TimeMap& time_map,
                             ShardLimits limits) {
  auto impl = std::make_unique<Impl>(time_map, limits);
  std::string why;
  if (!ReadState(impl->state, sections, why)) return InvalidError(std::move(why));
  return Shard(std::move(impl));
}

std::string Shard::Snapshot() const {
  ByteWriter out;
  for (const std::string& section : Sections()) out.String(section);
  return out.Take();
}

Result<Shard> Shard::Restore(std::string_view bytes, const TimeMap& time_map, ShardLimits limits) {
  std::vector<std::string_view> sections;
  ByteReader in(bytes);
  while (in.ok() && !in.AtEnd()) sections.push_back(in.String());
  if (!in.ok()) return InvalidError("the bytes are not a snapshot of a shard");
  return Restore(sections, time_map, limits);
}

void Shard::StartAt(const std::vector<PlanActivationView>& plans_in_force) {
  State& s = impl_->state;
  std::vector<Transition> nothing;
  for (const PlanActivationView& plan : plans_in_force) ActivatePlan(s, plan, nothing);
  s.mid_log = true;
}

bool Shard::Adopt(const Transition& truth) { return AdoptTransition(impl_->state, truth); }

}  // namespace liveops::engine
