#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/ingest/admit/admit.h"

namespace liveops::ingest {

// What was refused, for a person, e.g. "3 data points refused: future (2), e.g. …; unsupported (1),
// e.g. …"; "" when nothing was. `what`: one of them.
std::string RejectionSentence(const std::vector<admit::Rejection>& rejections,
                              std::string_view what = "data point");

}  // namespace liveops::ingest
