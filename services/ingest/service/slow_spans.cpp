#include "services/ingest/service/slow_spans.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"

namespace liveops::ingest {
namespace {

constexpr std::size_t kTraceIdBytes = 16;
constexpr std::size_t kSpanIdBytes = 8;
constexpr std::size_t kOperationBytesMax = 200;

bool Slower(const CountedSpan& a, const CountedSpan& b) { return a.duration_ms > b.duration_ms; }

}  // namespace

void SlowSpans::Turn(SteadyTime now) const {
  if (now - turned_ < kSlot) return;
  // After more than two of them all of it is old.
  before_ = now - turned_ < 2 * kSlot ? std::move(now_) : Book();
  now_ = {};
  turned_ = now;
}

void SlowSpans::Offer(const CountedSpan& span, SteadyTime now) {
  if (span.trace_id.size() != kTraceIdBytes || span.span_id.size() != kSpanIdBytes) return;
  const std::lock_guard lock(mutex_);
  Turn(now);
  Key key{span.service, Truncate(span.operation, kOperationBytesMax)};
  auto found = now_.find(key);
  if (found == now_.end()) {
    if (now_.size() >= kOperationsMax) return;
    found = now_.emplace(std::move(key), std::vector<CountedSpan>()).first;
  }
  std::vector<CountedSpan>& kept = found->second;
  if (kept.size() == kEach && !Slower(span, kept.back())) return;
  for (const CountedSpan& known : kept) {
    if (known.span_id == span.span_id && known.trace_id == span.trace_id) return;
  }
  if (kept.size() == kEach) kept.pop_back();
  const auto place = std::upper_bound(kept.begin(), kept.end(), span, Slower);
  kept.insert(place, span)->operation = found->first.second;
}

std::vector<CountedSpan> SlowSpans::List(std::string_view service, std::string_view operation,
                                         std::size_t each, SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  Turn(now);
  Book of_service;
  for (const Book* book : {&now_, &before_}) {
    for (auto it = book->lower_bound({std::string(service), ""});
         it != book->end() && it->first.first == service; ++it) {
      if (!operation.empty() && it->first.second != operation) continue;
      auto& kept = of_service[it->first];
      kept.insert(kept.end(), it->second.begin(), it->second.end());
    }
  }
  std::vector<CountedSpan> out;
  for (auto& [key, kept] : of_service) {
    std::sort(kept.begin(), kept.end(), Slower);
    kept.resize(std::min(kept.size(), each));
    std::move(kept.begin(), kept.end(), std::back_inserter(out));
  }
  std::stable_sort(out.begin(), out.end(), Slower);
  return out;
}

}  // namespace liveops::ingest
