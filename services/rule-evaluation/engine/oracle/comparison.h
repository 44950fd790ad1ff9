#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "services/rule-evaluation/engine/oracle/history.h"

namespace liveops::engine::oracle {

struct Comparison {
  std::string difference;  // "" = none
  std::string kind;        // what sort of difference it is
  std::size_t record = 0;  // at which it shows
  // How often the engine said what ("firing crossed"), and what it counted ("late").
  std::map<std::string, std::size_t> saw;
  bool ok() const { return difference.empty(); }
};

// Plays a history to the engine, to the engine with its restarts, and to the naive evaluator: the
// same transitions must come of it.
Comparison Compare(const History& history);

// A shorter history with a difference, found by leaving out what does not matter to it.
History Minimise(History history);

}  // namespace liveops::engine::oracle
