// Objectives of slices of time. A rule judges each slice when the watermark passes its end, and
// counts it in two series of the engine's own, whole, at that end: all slices that were good or
// bad, and the bad ones. The alarms of the objective read them as any other counters, so that
// windows, snapshots and rollups are theirs too. They wait as long as the rule does, and all go
// step by step, so that none is ahead of a slice that it would have to count.
#include <fmt/format.h>

#include "common/plan/burn.h"
#include "services/rule-evaluation/engine/slices.h"

namespace liveops::engine {
namespace {

// The series of a count, known to the rules of the service; kNone where something else has its
// identity.
std::uint32_t CountOf(State& s, const Rule& judge, const plan::Operand& operand) {
  Service& service = *s.services[judge.service];
  Labels labels;
  for (const plan::LabelMatch& match : operand.matches) labels.Set(match.name, match.value);
  const std::string bytes = labels.Encode();
  const std::string_view parts[] = {service.name, operand.metric, bytes};
  const SeriesView view{FingerprintOf(parts), SeriesKind::kSlices, operand.metric, "1", bytes};
  std::uint32_t id = s.series.Find(view.fingerprint);
  if (id == SeriesTable::kNone) {
    // There is always room: a plan has few objectives.
    BeforeSeries(s, s.series.NextId());
    id = s.series.Add(view.fingerprint, view.kind, judge.service);
  }
  BeforeSeries(s, id);
  Series& series = s.series.at(id);
  if (series.kind != view.kind || series.service != judge.service) return SeriesTable::kNone;
  if (series.generation != service.generation) Bind(s, service, id, view);
  return id;
}

void Count(State& s, const Rule& judge, std::int64_t end_ms, bool bad) {
  const plan::TimeSlices slices{judge.spec.when, judge.spec.slice};
  for (const plan::Operand& operand : plan::BadSlices(judge.spec.slo, slices).operands) {
    const std::uint32_t id = CountOf(s, judge, operand);
    if (id == SeriesTable::kNone) continue;
    Series& series = s.series.at(id);
    series.seen_ms = s.now_ms();
    series.Seen(end_ms, end_ms - judge.spec.slice.count());
    Point p;
    p.time = p.start = end_ms;  // it lies there as a whole
    p.covers = true;
    p.value = p.count = p.sum = operand.metric == plan::kSlices || bad ? 1 : 0;
    Distribute(s, s.position, series, p);
  }
}

const char* WordOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kTrue:
      return "good";
    case Verdict::kFalse:
      return "bad";
    case Verdict::kUnknown:
      break;
  }
  return "not counted";
}

}  // namespace

const Rule* SliceRuleOf(const State& s, const Rule& rule) {
  if (!rule.spec.of_slices) return nullptr;
  for (const auto& other : s.services[rule.service]->rules) {
    if (other->spec.judges_slices() && other->spec.slo == rule.spec.slo) return other.get();
  }
  return nullptr;
}

void ScheduleSliced(State& s, const Rule& judge) {
  for (const auto& rule : s.services[judge.service]->rules) {
    if (rule->spec.of_slices && rule->spec.slo == judge.spec.slo) Schedule(s, *rule);
  }
}

void JudgeSlice(State& s, Rule& rule, std::int64_t end_ms) {
  if (rule.groups.empty()) return;  // there was no room for one
  ++s.counters.judgements;
  Group& group = *rule.groups.begin()->second;
  for (const auto& cells : group.own) {
    if (cells) DropAbsentGauges(s, rule, *cells, end_ms);
  }
  group.last = DecideSlice(s, rule, group, end_ms);
  if (group.last.verdict != Verdict::kUnknown) {
    Count(s, rule, end_ms, group.last.verdict == Verdict::kFalse);
  }
}

std::string SliceText(const State& s, const Rule& rule) {
  const Rule* judge = SliceRuleOf(s, rule);
  if (judge == nullptr || judge->groups.empty()) return "";
  const Group& group = *judge->groups.begin()->second;
  if (group.last.why == Why::kNever) return "; no slice is over yet";
  return fmt::format("; the last slice of {}, to {}, was {}: {}", FormatDuration(judge->spec.slice),
                     TimeOfDay(group.last.at), WordOf(group.last.verdict), Reasons(*judge, group));
}

}  // namespace liveops::engine
