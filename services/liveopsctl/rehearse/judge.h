#pragma once

#include <map>
#include <span>
#include <vector>

#include "services/liveopsctl/rehearse/test_run.h"

// Holds what a test expects against what the engine told. Pure.
namespace liveops::rehearse {

// The alarms that a test names, as they stood at the moments that it names.
using Views = std::map<Duration, std::vector<engine::AlarmView>>;

std::vector<Discrepancy> Judge(const PlanTest& test, std::span<const engine::Transition> told,
                               const Views& views, Instant begin);

// The same for a list of pages alone, in order.
std::vector<Discrepancy> JudgePages(std::span<const Expected> expected,
                                    std::span<const engine::Transition> told, const Views& views,
                                    Instant begin);

}  // namespace liveops::rehearse
