#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/spread.h"
#include "common/plan/model.h"

namespace liveops::plan {

// One thing that is wrong with a plan file.
struct Problem {
  int line = 0;         // 1-based
  int column = 0;       // 1-based
  std::string message;  // what was found, what was expected, the nearest known word

  // "file:line:column: message"
  std::string ToString(std::string_view file) const;
};

struct ParseResult {
  Plan plan;                      // meaningful only when problems is empty
  std::vector<Problem> problems;  // every one, in file order
  bool ok() const { return problems.empty(); }
};

// Reads a plan file (YAML). Refuses unknown keys, unbound names, units that do not fit, and
// whatever this build cannot run yet (with a sentence that says so): nothing is read and ignored.
// Pure; never throws.
ParseResult Parse(std::string_view yaml);

// Parse of a plan that is to be applied where there are so many partitions: also refused is what
// nothing could put into force.
ParseResult ParseNew(std::string_view yaml, int partitions = kSpreadMax);

// Reads a condition in canonical form (no aliases), e.g. from a ProbeStart.
Result<Condition> ParseCondition(std::string_view text);

}  // namespace liveops::plan
