#include "services/rule-evaluation/engine/oracle/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "common/plan/parse.h"
#include "services/rule-evaluation/engine/oracle/oracle.h"
#include "services/rule-evaluation/engine/shard.h"

namespace liveops::engine::oracle {
namespace {

using Told = std::vector<Expected>;

std::string Line(const Expected& e) {
  const Transition& t = e.transition;
  const auto at = [](auto time) {
    const std::int64_t ms = ToMs(time) - kNine;
    return fmt::format("{}.{:03}s", ms / 1000, std::abs(ms % 1000));
  };
  return fmt::format(
      "  {} {} {} {} {}{} episode {} step {} value {} of {} at {} since {} peak {} points {} "
      "record "
      "{}\n",
      at(t.clock), t.alarm_id, AlarmStateName(t.state), t.reason, plan::SeverityName(t.severity),
      t.swings > 0 ? fmt::format(" swings {}", t.swings) : "", at(t.episode), t.step, t.value,
      t.threshold, at(t.window_end), at(t.since), t.peak, t.points, t.source_offset);
}

bool Near(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) == std::isnan(b);
  return std::fabs(a - b) <= 1e-9 * std::max({std::fabs(a), std::fabs(b), 1e-6});
}

// The first thing in which they differ, "" = none.
const char* Unlike(const Expected& engine, const Expected& other) {
  const Transition& a = engine.transition;
  const Transition& b = other.transition;
  if (a.source_offset != b.source_offset || a.clock != b.clock) return "record";
  if (a.alarm_id != b.alarm_id) return "alarm";
  if (a.state != b.state || a.reason != b.reason) return "state";
  if (a.episode != b.episode) return "episode";
  if (a.step != b.step) return "step";
  if (a.purpose != b.purpose) return "purpose";
  if (a.severity != b.severity || a.severity_before != b.severity_before) return "severity";
  if (a.groups_refused != b.groups_refused) return "refused";
  // How often it would have opened while it was damped is for people.
  if ((a.swings > 0) != (b.swings > 0)) return "swings";
  if (a.reason == "flapping" && a.swings != b.swings) return "swings";
  if (a.window_end != b.window_end) return "window_end";
  if (a.since != b.since) return "since";
  if (!Near(a.value, b.value)) return "value";
  if (a.threshold != b.threshold) return "threshold";
  if (!Near(a.peak, b.peak)) return "peak";
  // The engine rounds, the evaluator does not.
  return std::fabs(engine.events - other.events) > 0.5 + 1e-6 ? "points" : "";
}

std::string KindOf(const Told& a, const Told& b, std::size_t at) {
  const auto what = [](const Expected& e) {
    const Transition& t = e.transition;
    return fmt::format("{} {} {}", t.alarm_id, AlarmStateName(t.state), t.reason);
  };
  const auto offset = [](const Told& told, std::size_t i) {
    return i < told.size() ? told[i].transition.source_offset : INT64_MAX;
  };
  if (at < a.size() && at < b.size() && offset(a, at) == offset(b, at) &&
      a[at].transition.alarm_id == b[at].transition.alarm_id)
    return fmt::format("{} {}", what(a[at]), Unlike(a[at], b[at]));
  return offset(a, at) <= offset(b, at) && at < a.size() ? "only the engine: " + what(a[at])
                                                         : "not the engine: " + what(b[at]);
}

// In which order the alarms are told that one record moves is the engine's own affair.
void InOrder(Told& told) {
  std::stable_sort(told.begin(), told.end(), [](const Expected& a, const Expected& b) {
    const Transition& x = a.transition;
    const Transition& y = b.transition;
    return x.source_offset != y.source_offset ? x.source_offset < y.source_offset
                                              : x.alarm_id < y.alarm_id;
  });
}

std::string Lists(const Told& a, const Told& b, std::size_t from, const char* other) {
  std::string text = fmt::format("{} transitions agree; then the engine tells\n", from);
  for (std::size_t i = from; i < std::min(a.size(), from + 6); ++i) text += Line(a[i]);
  text += fmt::format("and {} tells\n", other);
  for (std::size_t i = from; i < std::min(b.size(), from + 6); ++i) text += Line(b[i]);
  return text;
}

Comparison Differ(const Told& a, const Told& b, const char* other) {
  Comparison result;
  std::size_t i = 0;
  while (i < a.size() && i < b.size() && *Unlike(a[i], b[i]) == 0) ++i;
  if (i == a.size() && i == b.size()) return result;
  std::int64_t offset = INT64_MAX;
  if (i < a.size()) offset = std::min(offset, a[i].transition.source_offset);
  if (i < b.size()) offset = std::min(offset, b[i].transition.source_offset);
  result.record = static_cast<std::size_t>(offset);
  result.kind = KindOf(a, b, i);
  result.difference = Lists(a, b, i, other);
  return result;
}

Comparison Fault(const char* kind, std::string what, std::int64_t offset) {
  Comparison result;
  result.kind = kind;
  result.difference = std::move(what);
  result.record = static_cast<std::size_t>(offset);
  return result;
}

// The generator made a plan that is none.
Comparison Refused(const History& history) {
  Comparison result;
  result.kind = "plan";
  for (std::size_t i = 0; i < history.records.size(); ++i) {
    const HistoryRecord& record = history.records[i];
    if (record.kind != HistoryRecord::Kind::kPlan) continue;
    const std::string text = history.PlanText(record);
    for (const plan::Problem& problem : plan::Parse(text).problems) {
      result.difference += problem.ToString("plan") + "\n";
      result.record = i;
    }
    if (!result.difference.empty()) return result;
  }
  return result;
}

void Play(Shard& shard, const RecordView& view, Told& told) {
  std::vector<Transition> out;
  shard.Apply(view, out);
  for (Transition& t : out) {
    const auto points = static_cast<double>(t.points);
    told.push_back({std::move(t), points});
  }
}

// Whoever takes the partition over adopts what the log last said of each alarm: of open ones that
// is no news to him.
std::string News(Shard& shard, const Told& told) {
  std::map<std::string, const Expected*> last;
  for (const Expected& e : told) last[e.transition.alarm_id] = &e;
  for (const auto& [id, e] : last) {
    if (IsOpen(e->transition.state) && shard.Adopt(e->transition)) return Line(*e);
  }
  return "";
}

// Whoever takes it over without a snapshot has the plan in force and what the log last said: his
// alarms stand as that says. "" = they do.
std::string StandsOtherwise(const PlanActivationView& in_force, const ShardLimits& limits,
                            const Told& told) {
  Shard shard({}, limits);
  shard.StartAt({in_force});
  std::map<std::string, const Expected*> last;
  for (const Expected& e : told) last[e.transition.alarm_id] = &e;
  for (const auto& [id, e] : last) shard.Adopt(e->transition);
  if (const std::string news = News(shard, told); !news.empty()) return "twice news: " + news;
  for (const AlarmView& view : shard.Alarms()) {
    const auto it = last.find(view.alarm_id);
    // Under another plan it may have been as bad as none of this one's levels.
    if (it == last.end() || it->second->transition.plan_version != in_force.version) continue;
    const Transition& t = it->second->transition;
    if (!IsOpen(t.state) || t.groups_refused > 0) continue;
    if (view.state != t.state || view.severity != t.severity || view.episode != t.episode)
      return fmt::format("stands at {} {}: {}", AlarmStateName(view.state),
                         plan::SeverityName(view.severity), Line(*it->second));
  }
  return "";
}

// What is left of error budgets, as far as it was counted: of the engine and the evaluator.
std::string BudgetsDiffer(const Shard& shard, const Oracle& oracle,
                          std::map<std::string, std::size_t>& saw) {
  const std::map<std::string, Finding> budgets = oracle.Budgets();
  for (const AlarmView& view : shard.Alarms()) {
    const auto it = budgets.find(view.name);
    if (it == budgets.end()) continue;
    const Finding& f = it->second;
    if (!Near(view.value, f.value) ||
        std::fabs(static_cast<double>(view.points) - f.points) > 0.5 + 1e-6) {
      return fmt::format("{}: the engine has {} of {}, the evaluator {} of {}\n  {}", view.name,
                         view.value, view.points, f.value, f.points, view.explanation);
    }
    if (view.name == "s-budget" && f.points > 0) {
      ++saw["slices were counted"];
      if (f.value > 0) ++saw["some were bad"];
      if (view.budget && view.budget->not_counted > 0) ++saw["some were neither"];
    }
  }
  return "";
}

}  // namespace

Comparison Compare(const History& history) {
  Told straight;
  Told restarted;
  Told naive;
  ShardLimits limits;
  limits.groups_of_rule_max = history.groups_max;
  Shard shard({}, limits);
  Shard again({}, limits);
  Oracle oracle(history.groups_max);
  RecordMaker maker;
  std::int64_t offset = 0;
  std::string plan_text;
  PlanActivationView in_force;
  for (const HistoryRecord& record : history.records) {
    const RecordView& view = maker.Make(history, record, offset++);
    Play(shard, view, straight);
    if (record.restart) {
      auto restored = Shard::Restore(again.Snapshot(), {}, limits);
      if (!restored.ok()) {
        return Fault("restore", "a snapshot cannot be restored: " + restored.error().message,
                     view.offset);
      }
      again = std::move(*restored);
      if (const std::string news = News(again, restarted); !news.empty())
        return Fault("adopted", "what the log says is news after a restart:\n" + news, view.offset);
      if (const std::string other = StandsOtherwise(in_force, limits, restarted); !other.empty())
        return Fault("taken over", "taken over without a snapshot:\n" + other, view.offset);
    }
    if (const auto* plan = std::get_if<PlanActivationView>(&view.body)) {
      plan_text = plan->text;
      in_force = *plan;
      in_force.text = plan_text;
    }
    Play(again, view, restarted);
    oracle.Apply(view, naive);
  }
  if (shard.counters().plans_refused > 0) return Refused(history);
  if (Comparison c = Differ(straight, restarted, "the engine with restarts"); !c.ok()) return c;
  if (shard.Snapshot() != again.Snapshot()) {
    return Fault("end", "a restart leaves another state at the end", offset - 1);
  }
  InOrder(straight);
  InOrder(naive);
  std::map<std::string, std::size_t> counted;
  const std::string budgets = BudgetsDiffer(shard, oracle, counted);
  Comparison c = Differ(straight, naive, "the evaluator");
  if (c.ok() && !budgets.empty()) return Fault("budgets", budgets, offset - 1);
  c.saw.insert(counted.begin(), counted.end());
  for (const Expected& e : straight)
    ++c.saw[fmt::format("{} {}", AlarmStateName(e.transition.state), e.transition.reason)];
  for (const Expected& e : straight) {
    if (e.transition.name.starts_with("o-")) ++c.saw["a budget burns"];
    if (e.transition.name.starts_with("s-")) ++c.saw["a budget of slices burns"];
    if (e.transition.expression.starts_with("distinct(") && e.transition.reason == "crossed")
      ++c.saw["distinct crossed"];
    if (e.transition.expression.starts_with("topk(") && e.transition.reason == "crossed")
      ++c.saw["topk crossed"];
    if (!e.transition.expression.starts_with("fewer than")) continue;
    if (e.transition.reason == "crossed") ++c.saw["too few report"];
    if (e.transition.reason == "recovered") ++c.saw["enough report again"];
  }
  std::set<std::size_t> named;
  for (const HistoryRecord& record : history.records) {
    for (const HistoryPoint& point : record.points) named.insert(point.series);
  }
  c.saw["forgotten"] = named.size() - std::min(named.size(), shard.series_known());
  c.saw["late"] = shard.counters().points_late;
  c.saw["repeated"] = shard.counters().points_duplicate;
  c.saw["from the future"] = shard.counters().points_future;
  return c;
}

}  // namespace liveops::engine::oracle
