#include "services/rule-evaluation/service/status_board.h"

#include <algorithm>

namespace liveops::evaluation {

bool StatusBoard::View::ready() const {
  return joined && !failed &&
         std::all_of(partitions.begin(), partitions.end(),
                     [](const Partition& p) { return p.live; });
}

std::string StatusBoard::View::Detail() const {
  if (failed) return detail;
  if (!joined) return "waiting for partitions";
  const auto replaying = std::count_if(partitions.begin(), partitions.end(),
                                       [](const Partition& p) { return !p.live; });
  if (replaying > 0) return std::to_string(replaying) + " partitions are replayed";
  return partitions.empty() ? "owns no partition at present" : "";
}

}  // namespace liveops::evaluation
