#include "services/rule-evaluation/engine/oracle/spread_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "common/plan/parse.h"
#include "common/plan/reads.h"
#include "services/rule-evaluation/engine/oracle/oracle.h"
#include "services/rule-evaluation/engine/oracle/random.h"
#include "services/rule-evaluation/engine/oracle/services.h"
#include "services/rule-evaluation/engine/oracle/spread_words.h"
#include "services/rule-evaluation/engine/shard.h"

namespace liveops::engine::oracle {
namespace {

constexpr std::int32_t kPartitions = 8;

// One record of a shard's log.
struct Entry {
  std::int64_t at = 0;
  HistoryRecord record;
  std::optional<Readings> readings;
};

struct World {
  const History& history;
  int spread = 1;
  Services services;
};

// A shard with its log, and what a crash leaves of it.
class Node {
 public:
  Node(std::string service, std::int32_t partition) : service_(std::move(service)) {
    limits_.partition = partition;
    limits_.partitions = kPartitions;
    limits_.eager = false;  // of a rule whose series lie together
    shard_.emplace(TimeMap{}, limits_);
    Keep();
  }

  void Append(const World& world, Entry entry) {
    log_.push_back(std::move(entry));
    Apply(world, log_.size() - 1, transitions_);
  }
  // The state as it is would be found again. Only when all that was told stands in the log.
  void Keep() {
    snapshot_ = shard_->Snapshot();
    kept_ = log_.size();
    kept_transitions_ = transitions_.size();
  }
  // From the last snapshot on, again. What was told since is told again. False = the transitions
  // are not the same.
  bool Crash(const World& world) {
    auto restored = Shard::Restore(snapshot_, TimeMap{}, limits_);
    if (!restored.ok()) return false;
    shard_ = std::move(*restored);
    told_.clear();
    std::vector<Transition> again;
    for (std::size_t i = kept_; i < log_.size(); ++i) Apply(world, i, again);
    if (again.size() != transitions_.size() - kept_transitions_) return false;
    for (std::size_t i = 0; i < again.size(); ++i) {
      const Transition& before = transitions_[kept_transitions_ + i];
      if (TransitionId(again[i]) != TransitionId(before) || again[i].state != before.state) {
        return false;
      }
    }
    return true;
  }

  std::vector<Transition>& transitions() { return transitions_; }
  std::deque<Readings>& told() { return told_; }
  const Shard& shard() const { return *shard_; }

 private:
  void Apply(const World& world, std::size_t at, std::vector<Transition>& out);

  std::string service_;  // whose points it gets
  ShardLimits limits_;
  std::optional<Shard> shard_;
  std::vector<Entry> log_;
  std::vector<Transition> transitions_;
  std::deque<Readings> told_;  // and not written yet
  std::string snapshot_;
  std::size_t kept_ = 0;
  std::size_t kept_transitions_ = 0;
  RecordMaker maker_;
};

void Node::Apply(const World& world, std::size_t at, std::vector<Transition>& out) {
  const Entry& entry = log_[at];
  RecordView view;
  std::string text;
  if (entry.readings) {
    view.body = ViewOf(*entry.readings);
  } else if (entry.record.kind == HistoryRecord::Kind::kBatch && entry.record.points.empty()) {
    BatchView nothing;
    nothing.service = service_;
    view.body = nothing;
    view.source = {entry.record.emitter, entry.record.session, entry.record.sequence};
  } else {
    view = maker_.Make(world.history, entry.record, 0);
  }
  if (auto* plan = std::get_if<PlanActivationView>(&view.body)) {
    text = world.services.several() ? world.services.Named(std::string(plan->text))
                                    : fmt::format("spread: {}\n{}", world.spread, plan->text);
    plan->text = text;
    plan->reads = world.services.reads();
  }
  if (auto* batch = std::get_if<BatchView>(&view.body)) batch->service = service_;
  // What is refused is refused of all.
  std::vector<std::pair<std::string_view, std::uint64_t>> refused;
  if (auto* tick = std::get_if<TickView>(&view.body)) {
    for (const auto& [service, points] : tick->refused_points) {
      refused.emplace_back(service == kService ? std::string_view(service_) : service, points);
    }
    tick->refused_points = refused;
  }
  view.offset = static_cast<std::int64_t>(at);
  view.append_time = RealFromMs(kNine + entry.at);
  std::vector<Readings> told;
  shard_->Apply(view, out, told);
  for (Readings& readings : told) told_.push_back(std::move(readings));
}

class Run {
 public:
  Run(const History& history, const SpreadConditions& conditions)
      : history_(history),
        conditions_(conditions),
        random_(conditions.seed),
        world_{history, conditions.spread, Services(history, conditions.others, random_)} {
    Add(std::string(kService), PartitionOf(kService, kPartitions));
    for (const std::string& other : conditions.others) {
      Add(other, PartitionOf(other, kPartitions));
    }
    if (!conditions.others.empty()) return;
    for (int i = 1; i < conditions.spread; ++i) {
      Add(std::string(kService), (partitions_[0] + i) % kPartitions);
    }
  }

  // "" or what went wrong.
  std::string Play();
  std::vector<Transition>& transitions() { return nodes_.front().transitions(); }
  const Services& services() const { return world_.services; }
  std::size_t crashes() const { return crashes_; }
  std::size_t repeated() const { return repeated_; }
  std::size_t early() const { return early_; }

 private:
  void Hand(const HistoryRecord& record, std::size_t from, std::size_t to);
  void HandEarly(const HistoryRecord& probe);
  void Deliver(std::int64_t at, bool all);
  void DeliverOne(std::size_t source, std::int64_t at);

  void Add(std::string service, std::int32_t partition) {
    partitions_.push_back(partition);
    from_.push_back(0);
    nodes_.emplace_back(std::move(service), partition);
  }
  // Where the series lies.
  std::int32_t PartitionFor(const HistorySeries& series) const {
    return world_.services.several()
               ? PartitionOf(world_.services.Of(series), kPartitions)
               : SpreadPartitionOf(kService, series.fingerprint, conditions_.spread, kPartitions);
  }

  const History& history_;
  const SpreadConditions& conditions_;
  Random random_;
  World world_;
  std::vector<std::int32_t> partitions_;  // by node
  std::deque<Node> nodes_;                // the home first
  std::vector<std::int64_t> from_;        // by node: nothing of it comes before
  std::vector<Readings> written_;
  std::size_t crashes_ = 0;
  std::size_t repeated_ = 0;
  std::size_t early_ = 0;
};

// Every shard gets a record, so that their clocks agree to the millisecond.
void Run::Hand(const HistoryRecord& record, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    Entry entry{record.at, record, {}};
    std::erase_if(entry.record.points, [&](const HistoryPoint& p) {
      return PartitionFor(history_.series[p.series]) != partitions_[i];
    });
    nodes_[i].Append(world_, std::move(entry));
  }
}

// Those that are not the home read the probe before the plan.
void Run::HandEarly(const HistoryRecord& probe) {
  ++early_;
  Hand(probe, 1, nodes_.size());
  for (std::size_t i = 1; conditions_.crashes && i < nodes_.size(); ++i) nodes_[i].Keep();
}

void Run::DeliverOne(std::size_t source, std::int64_t at) {
  auto& told = nodes_[source].told();
  Entry entry{at, {}, std::move(told.front())};
  told.pop_front();
  if (random_.Chance(10)) {
    written_.push_back(*entry.readings);
    if (written_.size() > 20) written_.erase(written_.begin());
  }
  nodes_.front().Append(world_, std::move(entry));
  if (written_.empty() || !random_.Chance(10)) return;
  ++repeated_;  // by a retry, or by an owner that was replaced
  nodes_.front().Append(world_, {at, {}, random_.Of(written_)});
}

void Run::Deliver(std::int64_t at, bool all) {
  // Now and then one takes its time, and what it told meanwhile comes together.
  for (std::int64_t& from : from_) {
    if (from <= at && random_.Chance(5)) from = at + random_.Below(3000);
  }
  while (true) {
    std::vector<std::size_t> due;
    for (std::size_t i = 1; i < nodes_.size(); ++i) {
      if (nodes_[i].told().empty()) continue;
      if (all || at >= from_[i]) due.push_back(i);
    }
    if (due.empty()) return;
    DeliverOne(random_.Of(due), at);
  }
}

std::string Run::Play() {
  for (std::size_t r = 0; r < history_.records.size(); ++r) {
    const HistoryRecord& record = history_.records[r];
    const bool plan = record.kind == HistoryRecord::Kind::kPlan;
    if (plan) {
      // It counts for the steps that are judged after it: those before are told and judged first.
      HistoryRecord nothing;
      nothing.kind = HistoryRecord::Kind::kBatch;
      nothing.at = record.at;
      Hand(nothing, 0, nodes_.size());
      Deliver(record.at, true);
      const bool early = r + 1 < history_.records.size() && history_.records[r + 1].early;
      if (early) HandEarly(history_.records[r + 1]);
    }
    Hand(record, 0, record.early ? 1 : nodes_.size());
    Deliver(record.at, plan || conditions_.at_once);
    if (!conditions_.crashes) continue;
    for (Node& node : nodes_) {
      if (node.told().empty() && random_.Below(400) == 0) node.Keep();
      if (random_.Below(1500) != 0) continue;
      ++crashes_;
      if (!node.Crash(world_)) {
        return fmt::format("a replay differs at {} ms", record.at);
      }
    }
    Deliver(record.at, conditions_.at_once);
  }
  if (!history_.records.empty()) Deliver(history_.records.back().at, true);
  return "";
}

}  // namespace

History Tamed(History history) {
  constexpr std::int64_t kGapMs = 2000;
  constexpr std::int64_t kDoubtMs = 121'000;
  history.groups_max = 10'000;
  std::erase_if(history.records, [](const HistoryRecord& r) {
    return r.kind == HistoryRecord::Kind::kDecommission;
  });
  std::int64_t last = 0;
  std::int64_t doubted_until = 0;
  for (HistoryRecord& r : history.records) {
    r.protocol = Protocol::kOtlp;
    r.slices.clear();  // the plan refuses them, and these
    std::erase_if(r.alarms, [](const std::string& alarm) {
      return alarm.find("fewer than") != std::string::npos ||
             alarm.find("distinct(") != std::string::npos ||
             alarm.find("topk(") != std::string::npos;
    });
    if (r.at - last > kGapMs) doubted_until = r.at + kDoubtMs;
    last = r.at;
    if (r.kind == HistoryRecord::Kind::kTick && r.at < doubted_until) r.refused_service = kService;
  }
  return history;
}

std::vector<std::string> Apart(const std::vector<std::string>& names) {
  std::set<std::int32_t> taken{PartitionOf(kService, kPartitions)};
  std::vector<std::string> apart;
  for (const std::string& name : names) {
    if (taken.insert(PartitionOf(name, kPartitions)).second) apart.push_back(name);
  }
  return apart;
}

namespace {

// What one tells who sees everything.
std::vector<Transition> TellAll(const History& history, const Services& services) {
  ShardLimits limits;
  limits.eager = false;
  Shard one(TimeMap{}, limits);
  Oracle naive(history.groups_max, false);
  naive.SetServices(services.Others());
  RecordMaker maker;
  std::int64_t offset = 0;
  std::vector<Transition> told;
  std::vector<Expected> expected;
  for (const HistoryRecord& record : history.records) {
    const RecordView& view = maker.Make(history, record, offset++);
    if (!services.several()) {
      one.Apply(view, told);
    } else {
      naive.Apply(view, expected);
    }
  }
  for (Expected& e : expected) {
    e.transition.points = static_cast<std::uint64_t>(std::llround(std::max(0.0, e.events)));
    told.push_back(std::move(e.transition));
  }
  return told;
}

}  // namespace

History WithoutFlapping(History history) {
  for (HistoryRecord& record : history.records) {
    for (std::string& alarm : record.alarms) {
      const std::size_t begin = alarm.find(", flapping: {");
      if (begin != std::string::npos) alarm.erase(begin, alarm.find('}', begin) + 1 - begin);
    }
  }
  return history;
}

SpreadComparison CompareSpread(const History& history, const SpreadConditions& conditions) {
  SpreadComparison result;
  Run run(history, conditions);
  std::vector<Transition> whole = TellAll(history, run.services());
  result.difference = run.Play();
  if (!result.ok()) return result;
  std::vector<Transition>& spread = run.transitions();
  for (const Transition& t : whole) {
    ++result.saw[fmt::format("{} {}", AlarmStateName(t.state), t.reason)];
  }
  for (const Transition& t : spread) {
    const auto condition = plan::ParseCondition(t.expression);
    const std::size_t others = condition.ok() ? plan::ServicesRead(*condition).size() : 0;
    if (others == 0) continue;
    ++result.saw[others > 1 || plan::ReadsOwn(*condition) ? "over several" : "over another"];
  }
  result.saw["crash"] = run.crashes();
  result.saw["repeated"] = run.repeated();
  result.saw["probe before the plan"] = run.early();
  InOrder(whole);
  InOrder(spread);
  std::size_t i = 0;
  while (i < whole.size() && i < spread.size() && Same(whole[i], spread[i], conditions)) {
    ++i;
  }
  if (i == whole.size() && i == spread.size()) return result;
  result.difference = fmt::format("{} transitions agree; then who sees everything tells\n", i);
  for (std::size_t k = i; k < std::min(whole.size(), i + 5); ++k)
    result.difference += Line(whole[k]);
  result.difference += "and several shards tell\n";
  for (std::size_t k = i; k < std::min(spread.size(), i + 5); ++k)
    result.difference += Line(spread[k]);
  return result;
}

}  // namespace liveops::engine::oracle
