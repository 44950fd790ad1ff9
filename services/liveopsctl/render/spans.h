#pragma once

#include <string>
#include <vector>

#include "liveops/v1/ingest.pb.h"
#include "liveops/v1/logs.pb.h"
#include "services/liveopsctl/render/text.h"

namespace liveops::ctl {

// The slowest spans of a service, as a table. Pure.
std::string RenderSpans(const v1::ListSlowestSpansResponse& response, const std::string& service,
                        const Style& style);

// Requests that an alarm is about, the most telling first: a paragraph; "" when there are none.
std::string RenderTraces(const std::vector<v1::Exemplar>& traces, const Style& style);
// Likewise as a JSON array: ids in hexadecimal, times in ms and as strings, as in messages.
std::string TracesJson(const std::vector<v1::Exemplar>& traces);

}  // namespace liveops::ctl
