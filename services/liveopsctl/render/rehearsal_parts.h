#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "services/liveopsctl/rehearse/backtest.h"
#include "services/liveopsctl/rehearse/test_run.h"
#include "services/liveopsctl/render/text.h"

// What the reports of rehearsals have in common.
namespace liveops::ctl {

// A table of what differs, and what the engine said of it, each line behind `margin` blanks.
std::string RenderDiscrepancies(const std::vector<rehearse::Discrepancy>& discrepancies,
                                std::size_t margin, const Style& style);
nlohmann::ordered_json DiscrepanciesJson(const std::vector<rehearse::Discrepancy>& discrepancies);

// Every line behind `margin` blanks.
std::string Indented(std::string_view text, std::size_t margin);
// What was seen of the log of samples, a sentence a line; "" of a recording.
std::string RenderLogSpan(const rehearse::BacktestReport& report, const Style& style);
// Likewise; null of a recording.
nlohmann::ordered_json LogSpanJson(const rehearse::BacktestReport& report);
// "1 transition", "2 transitions"
std::string Count(std::size_t n, const char* thing);
// "page", "shadow" or "scenario"
const char* PurposeName(engine::Purpose purpose);

// One line, escaped beyond ASCII: nothing that a terminal would obey gets through.
std::string OneLine(const nlohmann::ordered_json& document);

}  // namespace liveops::ctl
