// What is taken as it was read, one by one: gauges, and what a counter reported.
#include <algorithm>
#include <cmath>
#include <optional>

#include "services/rule-evaluation/engine/oracle/oracle.h"

namespace liveops::engine::oracle {

using plan::Aggregate;

bool IsGauge(const SeriesBook& series) { return series.kind == SeriesKind::kGauge; }

bool IsRead(const SeriesBook& series, Aggregate aggregate) {
  switch (aggregate) {
    case Aggregate::kLast:
      return true;
    case Aggregate::kAvg:
    case Aggregate::kMin:
    case Aggregate::kMax:
    case Aggregate::kStddev:
      return IsGauge(series) || series.counter();
    case Aggregate::kSum:
    case Aggregate::kCount:
      return IsGauge(series);
    default:
      return false;
  }
}

std::optional<double> Oracle::OfGauge(Aggregate aggregate, const MemberBook& member,
                                      const Span& span) const {
  std::vector<const Point*> in = In(member, span.from, span.to);
  std::erase_if(in, [](const Point* p) { return p->baseline; });
  // Reading: how many readings there are, and how they scatter, only those in the window say.
  if (aggregate == Aggregate::kCount)
    return in.empty() ? std::nullopt : std::optional(static_cast<double>(in.size()));
  if (aggregate == Aggregate::kStddev && in.size() < 2) return std::nullopt;
  if (in.empty()) {
    const Point* newest = StillGood(member, span);
    if (newest == nullptr || newest->baseline) return std::nullopt;
    in.push_back(newest);
  }
  const auto older = [](const Point* a, const Point* b) { return a->time < b->time; };
  std::stable_sort(in.begin(), in.end(), older);
  const bool counter = points_.at(member.series).counter();
  std::vector<double> said;
  for (const Point* p : in) said.push_back(counter ? p->events : p->value);
  const auto n = static_cast<double>(said.size());
  double sum = 0;
  for (const double v : said) sum += v;
  double squares = 0;
  for (const double v : said) squares += (v - sum / n) * (v - sum / n);
  switch (aggregate) {
    case Aggregate::kAvg:
      return sum / n;
    case Aggregate::kMin:
      return *std::min_element(said.begin(), said.end());
    case Aggregate::kMax:
      return *std::max_element(said.begin(), said.end());
    case Aggregate::kStddev:
      return std::sqrt(squares / n);
    default:
      return said.back();
  }
}

// "Gauges take the worst series in the operator's direction." Reading: but sums and counts add up.
Amount Oracle::OfGauges(const plan::Test& test, Aggregate aggregate, const MemberBooks& members,
                        const Span& span) const {
  Amount amount;
  for (const MemberBook* m : members) {
    const auto reading = OfGauge(aggregate, *m, span);
    if (!reading) continue;
    if (!amount.known) {
      amount.value = *reading;
    } else if (aggregate == Aggregate::kSum || aggregate == Aggregate::kCount) {
      amount.value += *reading;
    } else {
      amount.value =
          Upward(test.op) ? std::max(amount.value, *reading) : std::min(amount.value, *reading);
    }
    amount.known = true;
  }
  return amount;
}

}  // namespace liveops::engine::oracle
