#include "services/rule-evaluation/engine/merged.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

void Add(const Increase& from, Increase& to) {
  to.known |= from.known;
  to.rate_known |= from.rate_known;
  to.raw += from.raw;
  to.estimate += from.estimate;
  to.per_ms += from.per_ms;
}

void Add(const std::vector<std::pair<double, double>>& from,
         std::vector<std::pair<double, double>>& to) {
  for (const auto& [bound, count] : from) {
    const auto at = std::lower_bound(to.begin(), to.end(), bound,
                                     [](const auto& e, double b) { return e.first < b; });
    if (at != to.end() && at->first == bound) {
      at->second += count;
    } else {
      to.insert(at, {bound, count});
    }
  }
}

// In the window all that was observed there counts; where nothing was, the newest pane.
void Add(const Observed& from, Observed& to) {
  const std::int64_t stands_from = std::min(from.stands_from, to.stands_from);
  if (!from.any) {
    to.stands_from = stands_from;
    return;
  }
  const bool newer = !to.any || (from.in_window && !to.in_window) ||
                     (!from.in_window && !to.in_window && from.pane > to.pane);
  const bool older = to.any && ((to.in_window && !from.in_window) ||
                                (!from.in_window && !to.in_window && from.pane < to.pane));
  if (newer) {
    to = from;
  } else if (!older) {
    to.sketch.Merge(from.sketch);
  }
  to.stands_from = stands_from;
}

void Add(const plan::Test& test, std::size_t operand, const Tally& from, Tally& to) {
  to.has_counters |= from.has_counters;
  to.has_buckets |= from.has_buckets;
  to.has_gauges |= from.has_gauges;
  Add(from.counted, to.counted);
  Add(from.upto, to.upto);
  if (from.gauges) {
    to.gauges = !to.gauges ? *from.gauges
                : AddsGauges(test.measure.operands[operand].aggregate)
                    ? *to.gauges + *from.gauges
                    : Worse(test.op, *to.gauges, *from.gauges);
  }
  Add(from.observed, to.observed);
}

}  // namespace

void MergedStore::Add(const plan::Test& test, const StoreReading& from, Presence presence) {
  if (presence != Presence::kReturning && !from.tallies.empty()) {
    tallies.resize(from.tallies.size());
    sure.resize(from.tallies.size());
    for (std::size_t i = 0; i < from.tallies.size(); ++i) {
      engine::Add(test, i, from.tallies[i], tallies[i]);
      engine::Add(from.sure[i], sure[i]);
    }
  }
  if (bounds.empty()) bounds = from.bounds;
  if (presence == Presence::kLeft || !from.members) return;
  members = true;
  misses |= from.misses;
  primary |= from.primary;
  spoke |= from.spoke;
  absent = absent && from.absent;
  departs = departs && from.departs;
  forgotten = forgotten && from.forgotten;
  if (presence == Presence::kReturning) return;
  adds |= from.adds;
  negative |= from.negative;
  total += from.total;
  pieces += from.pieces;
  top.insert(top.end(), from.top.begin(), from.top.end());
}

void MergedStep::Judging(const Group& next) {
  group = &next;
  merged = &Of(next);
}

const Merged& MergedStep::Of(const Group& of) const {
  static const Merged kNone;
  const auto it = groups.find(of.key);
  return it == groups.end() ? kNone : it->second;
}

const MergedStore* MergedStep::StoreOf(const Rule& rule, std::size_t store) const {
  if (rule.Own(store)) return store < merged->own.size() ? &merged->own[store] : nullptr;
  const auto& cells_by_key = shared[store];
  const auto it = cells_by_key.find(GroupLabels(rule.test(store).by, group->labels).Encode());
  return it == cells_by_key.end() ? nullptr : &it->second;
}

const Cells* MergedStep::CellsOf(const Rule& rule, std::size_t store) const {
  return rule.Own(store) || StoreOf(rule, store) != nullptr ? &cells[store] : nullptr;
}

Reading MergedStep::Measure(const Rule& rule, std::size_t store, bool at_least) const {
  const MergedStore* read = StoreOf(rule, store);
  if (read == nullptr || read->tallies.empty()) return {};
  const ValueMaker maker(rule.test(store), read->bounds);
  return maker.Make([&](std::size_t operand) {
    Tally tally = read->tallies[operand];
    if (at_least) tally.counted = read->sure[operand];
    return tally;
  });
}

bool MergedStep::MissesSomebody(const Rule& rule, std::size_t store) const {
  if (untold) return true;
  const MergedStore* read = StoreOf(rule, store);
  return read != nullptr && read->misses;
}

bool MergedStep::HasMembers(const Rule& rule, std::size_t store) const {
  const MergedStore* read = StoreOf(rule, store);
  return read != nullptr && read->members;
}

}  // namespace liveops::engine
