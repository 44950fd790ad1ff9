#pragma once

#include <string>

#include "liveops/v1/ingest.pb.h"
#include "services/liveopsctl/render/text.h"

namespace liveops::ctl {

// Who sends, and what became of it, as a table. Pure.
std::string RenderEmitters(const v1::ListEmittersResponse& response, const std::string& service,
                           const Style& style);

}  // namespace liveops::ctl
