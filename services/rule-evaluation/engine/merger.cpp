#include "services/rule-evaluation/engine/merger.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "common/base/hash.h"

namespace liveops::engine {
namespace {

// Gauges that left are left out as long as another source has some that are there, and until they
// speak again. `left`: when those of a source did, by KeyOf(source).
template <typename Left, typename KeyOf>
void MergeStores(const plan::Test& test,
                 const std::vector<std::pair<std::int32_t, const StoreReading*>>& readings,
                 std::int64_t end_ms, Left& left, KeyOf key_of, MergedStore& out) {
  using Presence = MergedStore::Presence;
  bool there = false;
  for (const auto& [source, reading] : readings) {
    const auto known = left.find(key_of(source));
    if (known != left.end() && reading->last_ms > known->second) left.erase(known);
    there |=
        reading->members && !reading->left && (reading->fresh || !left.contains(key_of(source)));
  }
  for (const auto& [source, reading] : readings) {
    if (there && reading->left) left.emplace(key_of(source), end_ms);
    const bool has_left = left.contains(key_of(source));
    out.Add(test, *reading,
            !has_left        ? Presence::kThere
            : reading->fresh ? Presence::kReturning
                             : Presence::kLeft);
  }
}

}  // namespace

Merger::Merger(State& s, Rule& rule, std::int64_t step)
    : s_(s), rule_(rule), end_ms_(step * rule.step_ms) {
  out_.known_then.assign(rule.stores() - rule.tests(), true);
  out_.shared.resize(rule.stores());
  out_.cells.resize(rule.stores());
  for (std::size_t i = 0; i < rule.stores(); ++i) {
    out_.cells[i].test = static_cast<std::uint8_t>(i);
  }
}

void Merger::Untold() {
  out_.untold = true;
  out_.known_from_ms = out_.hard_from_ms = std::numeric_limits<std::int64_t>::max();
  out_.known_then.assign(out_.known_then.size(), false);
}

void Merger::AddRule(const RuleReading& reading) {
  out_.known_from_ms = std::max(out_.known_from_ms, reading.known_from_ms);
  out_.hard_from_ms = std::max(out_.hard_from_ms, reading.hard_from_ms);
  for (std::size_t i = 0; i < out_.known_then.size(); ++i) {
    out_.known_then[i] = out_.known_then[i] && reading.known_then[i];
  }
  if (reading.seen && !rule_.seen) {
    rule_.seen = rule_.changed = true;
    ++s_.changes;
  }
  rule_.negatives |= reading.negatives;
  for (const std::uint64_t hash : reading.refused) {
    refused_.insert(hash);
    if (!rule_.probe) RefuseHash(s_, rule_, hash);
  }
  Rule* limit = s_.services[rule_.service]->series_limit;
  for (const std::uint64_t hash : reading.refused_series) {
    if (limit != nullptr && limit->role == Role::kWhole) RefuseHash(s_, *limit, hash);
  }
}

void Merger::Add(std::int32_t source, const Home::Told& told) {
  Part part{source, {}};
  for (const auto& [number, bytes] : told.bytes) {
    if (!DecodeReading(rule_, bytes, part.reading)) return Untold();
  }
  AddRule(part.reading.rule);
  parts_.push_back(std::move(part));
}

void Merger::MergeShared() {
  std::map<std::pair<std::uint8_t, std::string>, Readings> by_key;
  for (const Part& part : parts_) {
    for (const SharedReading& shared : part.reading.shared) {
      by_key[{shared.store, shared.key}].emplace_back(part.source, &shared.reading);
    }
  }
  for (const auto& [key, readings] : by_key) {
    const std::uint8_t store = key.first;
    const std::string& labels = key.second;
    const auto key_of = [&](std::int32_t source) { return std::tuple(store, labels, source); };
    MergeStores(rule_.test(store), readings, end_ms_, rule_.home->left_shared, key_of,
                out_.shared[store][labels]);
  }
}

Group* Merger::GroupOf(const std::string& key,
                       const std::vector<std::pair<std::int32_t, const GroupReading*>>& readings) {
  const bool fresh =
      std::any_of(readings.begin(), readings.end(), [](const auto& r) { return r.second->fresh; });
  const auto known = rule_.groups.find(key);
  Group* group = known == rule_.groups.end() ? nullptr : known->second.get();
  if (group == nullptr) {
    // One that left is no more until a point of it comes. What a probe asks must hold in all
    // groups, also in those of which nothing came in time.
    const auto labels = Labels::Decode(key);
    if ((!fresh && !rule_.probe) || !labels) return nullptr;
    group = GroupFor(s_, rule_, *labels);
    if (group == nullptr) return nullptr;
    const auto departed = rule_.home->departed.find(key);
    if (departed != rule_.home->departed.end()) {
      auto& left = rule_.home->groups[key].left;
      for (const auto& [source, reading] : readings) {
        for (std::size_t i = 0; i < rule_.tests(); ++i) {
          left[{source, static_cast<std::uint8_t>(i)}] = departed->second;
        }
      }
    }
  }
  if (fresh) Activate(rule_, *group);
  return group;
}

bool Merger::BeforeDeparture(const std::string& key, std::size_t store) const {
  const auto departed = rule_.home->departed.find(key);
  if (departed == rule_.home->departed.end()) return false;
  const Window& window = rule_.windows[store];
  const std::int64_t now_end =
      rule_.PaneAt(window.test, end_ms_) * rule_.windows[window.test].pane_ms;
  return rule_.PaneAt(store, now_end - window.ago_ms) * window.pane_ms <= departed->second;
}

void Merger::MergeGroup(const std::string& key,
                        const std::vector<std::pair<std::int32_t, const GroupReading*>>& readings) {
  const Group* group = GroupOf(key, readings);
  if (group == nullptr) return;
  Home::OfGroup& kept = rule_.home->groups[key];
  kept.heard = true;
  kept.silence_ms = 0;
  for (const auto& [source, reading] : readings) {
    kept.silence_ms = std::max(kept.silence_ms, reading->silence_ms);
  }
  if (!group->active) return;
  Merged& merged = out_.groups[key];
  merged.own.resize(rule_.stores());
  for (std::size_t i = 0; i < rule_.stores(); ++i) {
    if (!rule_.Own(i)) continue;
    const auto store = static_cast<std::uint8_t>(i);
    Readings of_store;
    for (const auto& [source, reading] : readings) {
      if (!reading->stores[i]) continue;
      of_store.emplace_back(source, &*reading->stores[i]);
      if (reading->stores[i]->members) merged.sources.emplace_back(source, store);
    }
    const auto key_of = [&](std::int32_t source) { return std::pair(source, store); };
    MergeStores(rule_.test(i), of_store, end_ms_, kept.left, key_of, merged.own[i]);
    if (i >= rule_.tests() && BeforeDeparture(key, i)) merged.own[i].tallies.clear();
    if (refused_.contains(Xxh64(key))) merged.own[i].misses = true;
  }
}

MergedStep Merger::Merge() {
  MergeShared();
  std::map<std::string, std::vector<std::pair<std::int32_t, const GroupReading*>>> by_key;
  for (const Part& part : parts_) {
    for (const GroupReading& group : part.reading.groups) {
      by_key[group.key].emplace_back(part.source, &group);
    }
  }
  for (auto& [key, kept] : rule_.home->groups) kept.heard = false;
  for (const auto& [key, readings] : by_key) MergeGroup(key, readings);
  return std::move(out_);
}

}  // namespace liveops::engine
