// "`topk(K, measure by L)`: the K greatest groups alone are judged; what is not among them is
// false." Readings: of equal values the one whose labels come first is greater. A group without a
// value whose silence is not proven may be among the greatest. While a window is known in part no
// rank is.
#include <algorithm>

#include "services/rule-evaluation/engine/oracle/oracle.h"

namespace liveops::engine::oracle {

void Oracle::Rank(const Watch& watch, std::int64_t end) const {
  const plan::Test& test = watch.test(0);
  const std::int64_t pane = plan::PaneLength(test.window).count();
  const Span span{end / pane * pane - test.window.count(), end / pane * pane};
  const bool whole = span.from >= std::max({watch.born, hard_from_, soft_from_});
  std::vector<std::pair<double, GroupBook*>> valued;
  int unknown = 0;
  for (const auto& group : watch.groups) {
    if (group->asleep) continue;
    group->standing = Truth::kUnknown;
    Amount amount = Measure(watch, *group, 0, span, false);
    if (amount.known && test.IsCompared()) {
      const auto part =
          whole ? PartOfThen(watch, *group, 0, span.to, amount) : std::optional<Amount>();
      amount.known = part.has_value();
      if (part) amount = *part;
    }
    if (amount.known) {
      valued.emplace_back(amount.value, group.get());
    } else if (!amount.counts_nothing && !Silent(watch, *group, end)) {
      ++unknown;
    }
  }
  for (const auto& [value, group] : valued) {
    int greater = 0;
    for (const auto& [other, rival] : valued) {
      greater += other > value || (other == value && rival->labels < group->labels) ? 1 : 0;
    }
    const bool surely = greater + unknown < test.top;
    const bool all = static_cast<int>(valued.size()) + unknown <= test.top;
    if (all) {
      group->standing = Truth::kTrue;
    } else if (whole) {
      group->standing = greater >= test.top ? Truth::kFalse
                        : surely            ? Truth::kTrue
                                            : Truth::kUnknown;
    }
  }
}

}  // namespace liveops::engine::oracle
