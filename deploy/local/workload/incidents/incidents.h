#pragma once

#include <string>
#include <string_view>
#include <vector>

// The recorded incidents of deploy/incidents, played by the workload model without a server: what
// `liveopsctl plan backtest` reads. Pure; the same build gives the same bytes.
namespace liveops::workload {

// "bad-deploy", …
std::vector<std::string> IncidentNames();

// The whole recording; "" for another name.
std::string RecordIncident(std::string_view name);

}  // namespace liveops::workload
