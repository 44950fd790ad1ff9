#include "common/base/spread.h"

#include <algorithm>

namespace liveops {

std::vector<SpreadStep> SpreadSteps(std::span<const SpreadStep> said) {
  std::vector<SpreadStep> steps;
  SpreadStep last;
  for (const SpreadStep& version : said) {
    if (version.spread == last.spread) continue;
    // A broker's clock may have gone back between two versions; the later one still comes after.
    last = {std::max(version.from, last.from), version.spread};
    steps.push_back(last);
  }
  return steps;
}

}  // namespace liveops
