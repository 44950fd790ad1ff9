// Which series feed what: a series is held against each rule that may read it when it is new, and
// again when the rules have changed.
#include <charconv>
#include <cmath>
#include <limits>

#include "services/rule-evaluation/engine/slices.h"
#include "services/rule-evaluation/engine/state.h"
#include "services/rule-evaluation/engine/units.h"

namespace liveops::engine {
namespace {

// What of a test a series may feed.
struct Place {
  std::size_t test = 0;
  std::uint8_t operand = 0;
  bool bucket = false;  // one of the buckets of a classic histogram
};

constexpr std::string_view kBucketSuffix = "_bucket";

// Prometheus names a metric by its base unit, which is that of its buckets' bounds.
std::string_view BoundUnit(std::string_view metric) {
  return metric.ends_with("_seconds") ? "s" : metric.ends_with("_bytes") ? "By" : "";
}

// `le` of a bucket; nothing when it is none.
std::optional<double> UpperBound(const Labels& labels) {
  const std::string* text = labels.Find("le");
  if (text == nullptr || text->empty()) return std::nullopt;
  if (*text == "+Inf" || *text == "Inf" || *text == "inf") {
    return std::numeric_limits<double>::infinity();
  }
  double bound = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), bound);
  const bool whole = error == std::errc() && end == text->data() + text->size();
  return whole && std::isfinite(bound) ? std::optional(bound) : std::nullopt;
}

bool IsCounter(SeriesKind kind) {
  return kind == SeriesKind::kCounterDelta || kind == SeriesKind::kCounterCumulative;
}

// Does the operand read this series by its name?
bool Names(const plan::Operand& operand, const SeriesView& view, bool& bucket) {
  bucket = false;
  if (operand.metric == view.metric || operand.metric.empty()) return true;
  if (operand.aggregate != plan::Aggregate::kQuantile || !IsCounter(view.kind)) return false;
  bucket = view.metric.size() == operand.metric.size() + kBucketSuffix.size() &&
           view.metric.starts_with(operand.metric) && view.metric.ends_with(kBucketSuffix);
  return bucket;
}

// How a series fits an operand; kNone when it does not.
struct Fit {
  Cell cell = Cell::kNone;
  double factor = 1;
  double bound = 0;
};

Fit FitOf(const plan::Measure& measure, const Place& place, const SeriesView& view,
          const Labels& labels) {
  const plan::Operand& operand = measure.operands[place.operand];
  const plan::Aggregate aggregate =
      measure.IsRatio() && operand.aggregate != plan::Aggregate::kCount ? plan::Aggregate::kIncrease
                                                                        : operand.aggregate;
  Fit fit;
  fit.cell = place.bucket ? Cell::kBucket : CellFor(aggregate, view.kind);
  const bool counts = fit.cell == Cell::kCounter && aggregate != plan::Aggregate::kSum;
  if (!measure.IsShare() && !counts && !plan::IsCount(aggregate)) {
    const bool formula = measure.form == plan::Measure::Form::kFormula;
    // A bucket counts; it is the bounds that have a unit, of which its counter says nothing.
    const auto factor = UnitFactor(place.bucket ? BoundUnit(operand.metric) : view.unit,
                                   formula ? operand.unit : measure.unit);
    if (!factor) return {};
    fit.factor = *factor;
  }
  if (place.bucket) {
    const auto bound = UpperBound(labels);
    if (!bound) return {};
    fit.bound = *bound * fit.factor;
    fit.factor = 1;
  }
  return fit;
}

// The cells that a series feeds with what the test reads; null where there is no room.
Cells* CellsFor(State& s, Rule& rule, std::size_t test, const Labels& labels) {
  const Labels apart = GroupLabels(rule.test(test).by, labels);
  if (!rule.Own(test)) return &SharedCells(rule, test, apart);
  Group* group = GroupFor(s, rule, apart);
  return group == nullptr ? nullptr : group->own[test].get();
}

// A member for this series and operand, known or new; nothing when it cannot feed it.
std::optional<Feed> FeedFor(State& s, Rule& rule, const Place& place, std::uint32_t id,
                            const SeriesView& view, const Labels& labels) {
  const std::uint64_t key = Rule::MemberKey(id, place.test, place.operand);
  if (const auto known = rule.members.find(key); known != rule.members.end()) {
    Member& member = known->second.first->members[known->second.second];
    if (member.forgotten) {
      if (s.series.at(id).left) return std::nullopt;
      member.forgotten = false;
      --s.series.at(id).forgotten;
    }
    return Feed{&rule, known->second.first, known->second.second};
  }
  if (s.series.at(id).left) return std::nullopt;
  const plan::Test& test = rule.test(place.test);
  const Fit fit = FitOf(test.measure, place, view, labels);
  if (fit.cell == Cell::kNone) {
    ++s.series.at(id).mismatches;
    return std::nullopt;
  }
  Cells* cells = CellsFor(s, rule, place.test, labels);
  if (cells == nullptr) {
    Series& newcomer = s.series.at(id);
    if (!newcomer.refused) ++s.counters.series_refused;
    newcomer.refused = true;
    newcomer.generation = 0;  // it is tried again with each batch: there may be room by then
    return std::nullopt;
  }
  cells->grid.AddColumn();
  Member& member = cells->members.emplace_back();
  member.series = id;
  member.operand = place.operand;
  member.cell = fit.cell;
  cells->departing |= Departs(fit.cell);
  if (fit.cell == Cell::kDistinct) {
    member.hash = Xxh64(*labels.Find(test.measure.operands[place.operand].label));
  }
  member.factor = fit.factor;
  member.bound = fit.bound;
  const auto index = static_cast<std::uint32_t>(cells->members.size() - 1);
  rule.members[key] = {cells, index};
  if (rule.members.size() == 1) Schedule(s, rule);
  Series& series = s.series.at(id);
  ++series.members;
  series.labels = view.labels;
  return Feed{&rule, cells, index};
}

// The series feeds the rule: how late its points may come is how long the rule waits.
void WaitFor(State& s, Rule& rule, const Series& series) {
  const std::int64_t lateness = BaseLateness(s, rule, series.slowest);
  if (lateness <= rule.lateness_ms) return;
  rule.lateness_ms = lateness;
  Schedule(s, rule);
}

// One series, as it is held against the rules.
struct Candidate {
  std::uint32_t id = 0;
  const SeriesView& view;
  std::string_view service;      // whose it is; "" = of the rule's own service
  std::optional<Labels> labels;  // once somebody asked
};

void BindTo(State& s, Rule& rule, std::size_t test, std::uint8_t i, Candidate& candidate) {
  const plan::Operand& operand = rule.test(test).measure.operands[i];
  const SeriesView& view = candidate.view;
  Place place{test, i, false};
  if (operand.service != candidate.service || !Names(operand, view, place.bucket)) return;
  if (!candidate.labels) candidate.labels = Labels::Decode(view.labels);
  // Damaged: no rule can say whose it is.
  if (!candidate.labels || !Matches(operand, *candidate.labels)) return;
  Series& series = s.series.at(candidate.id);
  if (CountsReporters(rule.test(test))) {
    if (series.left) return;
    if (Cells* cells = CellsFor(s, rule, test, *candidate.labels)) {
      Enrol(s, rule, *cells, candidate.id, *candidate.labels->Find(operand.label));
      series.labels = view.labels;
      WaitFor(s, rule, series);
    }
    return;
  }
  const auto feed = FeedFor(s, rule, place, candidate.id, view, *candidate.labels);
  if (!feed) return;
  series.feeds.push_back(*feed);
  WaitFor(s, rule, series);
}

void BindTo(State& s, Rule& rule, Candidate& candidate) {
  if (!MayRead(rule, s.series.at(candidate.id).kind)) return;
  for (std::size_t test = 0; test < rule.stores(); ++test) {
    for (std::size_t i = 0; i < rule.test(test).measure.operands.size(); ++i) {
      BindTo(s, rule, test, static_cast<std::uint8_t>(i), candidate);
    }
  }
}

}  // namespace

void Bind(State& s, Service& service, std::uint32_t id, const SeriesView& view) {
  Series& series = s.series.at(id);
  series.feeds.clear();
  series.mismatches = 0;
  series.generation = service.generation;
  Candidate candidate{id, view, {}, {}};
  for (const auto& rule : service.rules) BindTo(s, *rule, candidate);
  candidate.service = service.name;
  for (Rule* rule : service.readers) BindTo(s, *rule, candidate);
}

}  // namespace liveops::engine
