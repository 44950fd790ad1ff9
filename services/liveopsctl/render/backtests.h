#pragma once

#include <string>
#include <vector>

#include "services/liveopsctl/rehearse/backtest.h"
#include "services/liveopsctl/rehearse/diff.h"
#include "services/liveopsctl/rehearse/test_run.h"
#include "services/liveopsctl/render/text.h"

// What a plan would have told in a recorded incident, as text. Pure.
namespace liveops::ctl {

// The pages that were expected of a recording, and how they differ; nullptr = none were given.
using PageCheck = std::vector<rehearse::Discrepancy>;

std::string RenderBacktest(const rehearse::BacktestReport& report, const std::string& file,
                           const PageCheck* check, const Style& style);
std::string BacktestJson(const rehearse::BacktestReport& report, const std::string& file,
                         const PageCheck* check);

std::string RenderDiff(const rehearse::BacktestReport& before,
                       const rehearse::BacktestReport& after, const std::string& file,
                       const Style& style);
std::string DiffJson(const rehearse::BacktestReport& before, const rehearse::BacktestReport& after,
                     const std::string& file);

}  // namespace liveops::ctl
