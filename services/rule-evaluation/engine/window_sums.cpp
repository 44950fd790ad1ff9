#include "services/rule-evaluation/engine/window_sums.h"

#include <algorithm>

namespace liveops::engine {

Span SpanOf(const Rule& rule, const Cells& cells, std::int64_t pane) {
  const Window& window = rule.windows[cells.test];
  return {pane - window.read + 1, pane, pane * window.pane_ms, window.ago_ms > 0};
}

const Member::Last* StillGood(const State& s, const Member& member, const Span& span) {
  const Member::Last* last = span.earlier ? nullptr : member.UpTo(span.end_ms);
  if (last == nullptr) return nullptr;
  const std::int64_t good = 2 * s.series.at(member.series).Interval();
  return span.end_ms - last->ms < good ? last : nullptr;
}

PaneSum SumOf(const sketch::PaneGrid::Sums& sums, std::size_t column) {
  return {sums.Has(column), sums.a[column], sums.b.empty() ? 0 : sums.b[column], sums.c[column]};
}

Increase OfMember(const State& s, std::int64_t window_ms, const Member& member, PaneSum sum,
                  const Span& span, bool at_least) {
  Increase out;
  out.known = sum.known;
  const auto window = static_cast<double>(window_ms);
  const Member::Last* last = out.known || at_least ? nullptr : StillGood(s, member, span);
  if (last != nullptr && last->cover_ms > 0) {
    out.known = true;
    sum.covered = std::min(last->cover_ms, window);
    sum.increase = last->value * (sum.covered / last->cover_ms);
  }
  out.raw = sum.increase + sum.loose;
  out.estimate = out.raw;
  if (sum.covered > 0) {
    out.rate_known = true;
    out.per_ms = sum.increase / sum.covered;
    if (!at_least) out.estimate = std::max(out.raw, out.per_ms * window);
  }
  return out;
}

Increase OfColumn(const State& s, const Rule& rule, const Cells& cells, std::size_t column,
                  const Span& span) {
  PaneSum sum;
  cells.grid.ForColumn(column, span.first, span.last, [&](double a, double b, double c) {
    sum.known = true;
    sum.increase += a;
    sum.covered += b;
    sum.loose += c;
  });
  return OfMember(s, rule.window_ms(cells.test), cells.members[column], sum, span, false);
}

Increase OfCounters(const State& s, const Rule& rule, const Cells& cells,
                    const sketch::PaneGrid::Sums& sums, std::size_t operand, const Span& span,
                    bool at_least) {
  Increase total;
  for (std::size_t i = 0; i < cells.members.size(); ++i) {
    const Member& member = cells.members[i];
    if (member.operand != operand || member.cell != Cell::kCounter) continue;
    const Increase one =
        OfMember(s, rule.window_ms(cells.test), member, SumOf(sums, i), span, at_least);
    total.known |= one.known;
    total.rate_known |= one.rate_known;
    total.raw += one.raw;
    total.estimate += one.estimate;
    total.per_ms += one.per_ms;
  }
  return total;
}

}  // namespace liveops::engine
