#pragma once

#include <string>

#include "liveops/v1/ingest.pb.h"
#include "services/liveopsctl/render/text.h"

namespace liveops::ctl {

// The slowest spans of a service, as a table. Pure.
std::string RenderSpans(const v1::ListSlowestSpansResponse& response, const std::string& service,
                        const Style& style);

}  // namespace liveops::ctl
