#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/labels.h"
#include "common/base/time.h"
#include "services/rule-evaluation/engine/record.h"
#include "services/rule-evaluation/engine/transition.h"

// A part of state.h.
namespace liveops::engine {

struct Rule;
struct Service;
struct State;

struct Deployment {
  std::string revision;
  std::string description;
  std::string actor;
  Instant time{};
};

// Series that stopped for good: all of the service with these labels.
struct Decommission {
  Labels labels;
  std::string reason;
  std::string actor;
  Instant time{};  // partition clock
};

// --- decommission.cpp ---
void ApplyDecommission(State& s, const DecommissionView& view, std::vector<Transition>& out);
// Does `labels` have all of `pairs`?
bool HasAll(const Labels& labels, const Labels& pairs);
// When the last report came that told that a series with these labels left, if one did in the last
// hour.
std::optional<std::int64_t> LeftAt(const Service& service, const Labels& labels);

// --- budget.cpp ---
// Of the objective that made the rule; nothing where none did, or nothing is known of its events.
std::optional<ErrorBudget> BudgetOf(const State& s, const Rule& rule);

}  // namespace liveops::engine
