#pragma once

#include <string>

#include "services/liveopsctl/rehearse/live.h"
#include "services/liveopsctl/render/text.h"

// A plan held against what its service really sends, as text. Pure.
namespace liveops::ctl {

std::string RenderLive(const rehearse::LiveReport& live, const rehearse::BacktestReport& report,
                       const std::string& file, const Style& style);
std::string LiveJson(const rehearse::LiveReport& live, const rehearse::BacktestReport& report);

}  // namespace liveops::ctl
