#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace liveops::sketch {

// Windows slide over panes of equal length: pane i is ((i-1)*length, i*length], so that a window
// (t-W, t] whose end is a pane's end consists of whole panes.
inline std::int64_t PaneIndex(std::int64_t time_ms, std::int64_t length_ms) {
  // Rounds up, for times before the epoch too.
  const std::int64_t quotient = time_ms / length_ms;
  return time_ms % length_ms > 0 ? quotient + 1 : quotient;
}

// The last pane that has ended at `time_ms`.
inline std::int64_t LastEnded(std::int64_t time_ms, std::int64_t length_ms) {
  const std::int64_t quotient = time_ms / length_ms;
  return time_ms % length_ms < 0 ? quotient - 1 : quotient;
}

// The panes that hold something, by ascending index. Totals are added up from them when they are
// asked for: a running sum from which old panes are taken away would drift.
template <typename T>
class Panes {
 public:
  struct Entry {
    std::int64_t index = 0;
    T value{};
  };

  T& At(std::int64_t index) {
    if (entries_.empty() || entries_.back().index < index)
      return entries_.emplace_back(Entry{index, T{}}).value;
    const auto it = Lower(index);
    if (it->index == index) return it->value;
    return entries_.insert(it, Entry{index, T{}})->value;
  }

  // Calls f for each pane with first <= index <= last, oldest first.
  template <typename F>
  void ForRange(std::int64_t first, std::int64_t last, F f) const {
    for (auto it = Lower(first); it != entries_.end() && it->index <= last; ++it) f(it->value);
  }
  // The newest pane at or before `index`; nullptr when there is none.
  const Entry* NewestUpTo(std::int64_t index) const {
    const auto it = Lower(index + 1);
    return it == entries_.begin() ? nullptr : &*std::prev(it);
  }

  // Forgets the panes before `first`, except the newest of them when nothing else is left to tell
  // the last value by. Works in gulps, so that a slide is not a move of the whole.
  void DropBefore(std::int64_t first) {
    // Asked with every point, and mostly in vain: one look tells.
    if (entries_.size() <= kGulp || entries_[kGulp].index >= first) return;
    entries_.erase(entries_.begin(), std::prev(Lower(first)));
  }

  const std::vector<Entry>& entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }
  void Clear() { entries_.clear(); }
  void Append(std::int64_t index, T value) { entries_.push_back({index, std::move(value)}); }

 private:
  static constexpr std::size_t kGulp = 8;

  auto Lower(std::int64_t index) const {
    return std::lower_bound(entries_.begin(), entries_.end(), index,
                            [](const Entry& e, std::int64_t i) { return e.index < i; });
  }
  auto Lower(std::int64_t index) {
    return std::lower_bound(entries_.begin(), entries_.end(), index,
                            [](const Entry& e, std::int64_t i) { return e.index < i; });
  }

  std::vector<Entry> entries_;
};

}  // namespace liveops::sketch
