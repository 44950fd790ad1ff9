#include "common/sketch/pane_grid.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace liveops::sketch {
namespace {

// Rows beyond the window: the panes that are still open when it is judged.
constexpr std::size_t kAhead = 3;

}  // namespace

void PaneGrid::AddColumn() {
  ForgetBlocks();
  ++columns_;
  // Before the first pane the room that is needed is not known.
  if (rows_ > 0 && columns_ > stride_) Reshape(rows_, columns_ + columns_ / 4);
}

void PaneGrid::RemoveColumn(std::size_t column) {
  std::vector<std::size_t> from(columns_ - column - 1);
  std::iota(from.begin(), from.end(), column + 1);
  KeepColumns(column, from);
}

void PaneGrid::KeepColumns(std::size_t first, std::span<const std::size_t> from) {
  ForgetBlocks();
  const std::size_t had = std::exchange(columns_, first + from.size());
  if (rows_ == 0) return;
  const std::size_t n = words();
  for (std::size_t slot = 0; slot < rows_; ++slot) {
    for (std::vector<double>* plane : {&first_, &second_, &third_}) {
      if (plane->empty()) continue;
      double* const row = plane->data() + slot * stride_;
      for (std::size_t i = 0; i < from.size(); ++i) row[first + i] = row[from[i]];
      std::fill(row + columns_, row + had, 0.0);
    }
    std::uint64_t* const bits = present_.data() + slot * n;
    for (std::size_t i = first; i < had; ++i) {
      const std::size_t source = i < columns_ ? from[i - first] : had;
      const bool has = source < had && ((bits[source / 64] >> (source % 64)) & 1) != 0;
      const std::uint64_t bit = std::uint64_t{1} << (i % 64);
      bits[i / 64] = has ? bits[i / 64] | bit : bits[i / 64] & ~bit;
    }
  }
}

void PaneGrid::ClearRow(std::int64_t index) {
  const std::size_t slot = SlotOf(index);
  for (std::vector<double>* plane : {&first_, &second_, &third_}) {
    if (plane->empty()) continue;
    std::fill_n(plane->begin() + static_cast<std::ptrdiff_t>(slot * stride_), stride_, 0.0);
  }
  std::fill_n(present_.begin() + static_cast<std::ptrdiff_t>(slot * words()), words(),
              std::uint64_t{0});
}

PaneGrid::Sums PaneGrid::NoSums(bool with_b) const {
  Sums sums;
  sums.a.resize(columns_);
  sums.c.resize(columns_);
  if (with_b) sums.b.resize(columns_);
  sums.present.resize((columns_ + 63) / 64);
  return sums;
}

namespace {

void Add(const double* from, std::vector<double>& to) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
}

void Unite(const std::uint64_t* from, std::vector<std::uint64_t>& to) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] |= from[i];
}

}  // namespace

void PaneGrid::AddRows(std::int64_t first, std::int64_t last, Sums& sums) const {
  ForRows(first, last, [&](std::int64_t, const Row& row) {
    Add(row.a, sums.a);
    Add(row.b, sums.b);
    if (row.c != nullptr) Add(row.c, sums.c);
    Unite(row.present, sums.present);
  });
}

const PaneGrid::Sums& PaneGrid::OfBlock(std::int64_t block, bool with_b) const {
  if (blocks_.empty()) blocks_.resize(std::bit_ceil(rows_ / kBlock + 2));
  Block& kept = PlaceOf(block);
  if (kept.index != block || (with_b && !kept.with_b)) {
    kept.index = block;
    kept_to_ = std::max(kept_to_, block * kBlock + kBlock - 1);
    kept.with_b = with_b;
    kept.sums = NoSums(with_b);
    AddRows(block * kBlock, block * kBlock + kBlock - 1, kept.sums);
  }
  return kept.sums;
}

PaneGrid::Sums PaneGrid::Sum(std::int64_t first, std::int64_t last, bool with_b) const {
  Sums sums = NoSums(with_b);
  if (rows_ == 0) return sums;
  while (first <= last) {
    const std::int64_t block = BlockOf(first);
    const std::int64_t end = block * kBlock + kBlock - 1;
    if (first == block * kBlock && end <= last) {
      const Sums& kept = OfBlock(block, with_b);
      Add(kept.a.data(), sums.a);
      Add(kept.b.data(), sums.b);
      Add(kept.c.data(), sums.c);
      Unite(kept.present.data(), sums.present);
    } else {
      AddRows(first, std::min(end, last), sums);
    }
    first = end + 1;
  }
  return sums;
}

void PaneGrid::Reach(std::int64_t index, std::int64_t rows_hint) {
  const bool none = high_ < low_ || rows_ == 0;
  // What was dropped bounds the range from below, if something was.
  const std::int64_t low = low_ == INT64_MIN ? index : std::min(low_, index);
  const std::int64_t high = none ? index : std::max(high_, index);
  const auto needed = static_cast<std::size_t>(high - low + 1);
  if (needed > rows_ || rows_ == 0) {
    const auto usual = static_cast<std::size_t>(rows_hint) + kAhead;
    Reshape(std::max(needed > usual ? needed + needed / 8 : usual, rows_),
            std::max(stride_, columns_));
  }
  const std::int64_t had_low = none ? high + 1 : low_;
  const std::int64_t had_high = none ? high : high_;
  high_slot_ = (high_slot_ + static_cast<std::size_t>(none ? 0 : high - high_)) % rows_;
  low_ = low;
  high_ = high;
  for (std::int64_t i = low; i < had_low; ++i) ClearRow(i);
  for (std::int64_t i = had_high + 1; i <= high; ++i) ClearRow(i);
}

void PaneGrid::Reshape(std::size_t rows, std::size_t stride) {
  PaneGrid old = std::move(*this);
  *this = PaneGrid();
  columns_ = old.columns_;
  stride_ = stride;
  rows_ = rows;
  low_ = old.low_;
  high_ = old.high_;
  first_.resize(rows * stride);
  second_.resize(rows * stride);
  if (!old.third_.empty()) third_.resize(rows * stride);
  present_.resize(rows * words());
  if (old.rows_ == 0 || high_ < low_) return;
  high_slot_ = static_cast<std::size_t>(high_ - low_);
  old.ForRows(old.low_, old.high_, [&](std::int64_t index, const Row& row) {
    const std::size_t slot = SlotOf(index);
    const auto at = static_cast<std::ptrdiff_t>(slot * stride_);
    std::copy_n(row.a, old.stride_, first_.begin() + at);
    std::copy_n(row.b, old.stride_, second_.begin() + at);
    if (row.c != nullptr) std::copy_n(row.c, old.stride_, third_.begin() + at);
    std::copy_n(row.present, old.words(),
                present_.begin() + static_cast<std::ptrdiff_t>(slot * words()));
  });
}

}  // namespace liveops::sketch
