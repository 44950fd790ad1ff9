#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/sketch/panes.h"

namespace liveops::sketch {

// The panes of the series that one window looks at, as a table: a row a pane, a column a series.
// What one record brings, neighbouring series in the same pane, lies side by side; a window is read
// row by row, a few lines of memory whatever the number of series; and a pane costs its numbers
// alone. The rows are a ring over a dense range of pane indexes, of no more rows than the window
// and what may run ahead of it need.
//
// A cell holds three numbers, a, b and c; what they mean is the owner's affair. All three are 0
// until they are written. The third is often never used: its plane is made when it first is. Not
// thread-safe.
class PaneGrid {
 public:
  struct Row {
    const double* a;
    const double* b;
    const double* c;  // null: 0 throughout
    const std::uint64_t* present;

    bool Has(std::size_t column) const { return (present[column / 64] >> (column % 64)) & 1; }
  };
  // A cell for writing. Void after the next Put.
  class Cell {
   public:
    double& a;
    double& b;
    const bool fresh;  // nothing was there
    double c() const { return grid_.third_.empty() ? 0 : grid_.third_[at_]; }
    void set_c(double v) {
      if (grid_.third_.empty()) grid_.third_.resize(grid_.first_.size());
      grid_.third_[at_] = v;
    }

   private:
    friend class PaneGrid;
    Cell(PaneGrid& grid, std::size_t at, bool is_fresh)
        : a(grid.first_[at]), b(grid.second_[at]), fresh(is_fresh), grid_(grid), at_(at) {}
    PaneGrid& grid_;
    std::size_t at_;
  };

  std::size_t columns() const { return columns_; }
  // Adds a column without any pane, as the last.
  void AddColumn();
  // Those after it move up.
  void RemoveColumn(std::size_t column);
  // Those before `first` stay. The column at first + i takes the place of what was at `from[i]`,
  // which is not before it; those that are not named are gone.
  void KeepColumns(std::size_t first, std::span<const std::size_t> from);
  // No rows, no columns.
  void Clear() { *this = PaneGrid(); }

  // The panes before `index` are in no window any more.
  void DropBefore(std::int64_t index) {
    if (low_ < index) low_ = index;
  }
  // `rows_hint`: of how many panes the window has. The index may lie before the first row or after
  // the last one, and is not before what was dropped.
  Cell Put(std::int64_t index, std::size_t column, std::int64_t rows_hint) {
    if (index < low_ || index > high_) Reach(index, rows_hint);
    if (index <= kept_to_) ForgetBlock(index);
    const std::size_t slot = SlotOf(index);
    std::uint64_t& word = present_[slot * words() + column / 64];
    const std::uint64_t bit = std::uint64_t{1} << (column % 64);
    const bool fresh = (word & bit) == 0;
    word |= bit;
    return Cell(*this, slot * stride_ + column, fresh);
  }

  // f(index, row) for the rows with first <= index <= last, oldest first.
  template <typename F>
  void ForRows(std::int64_t first, std::int64_t last, F f) const {
    first = first < low_ ? low_ : first;
    last = last > high_ ? high_ : last;
    if (first > last) return;
    std::size_t slot = SlotOf(first);
    for (std::int64_t i = first; i <= last; ++i) {
      f(i, RowAt(slot));
      if (++slot == rows_) slot = 0;
    }
  }
  // f(a, b, c) for the panes of one series that are present, oldest first.
  template <typename F>
  void ForColumn(std::size_t column, std::int64_t first, std::int64_t last, F f) const {
    ForRows(first, last, [&](std::int64_t, const Row& row) {
      if (row.Has(column)) f(row.a[column], row.b[column], row.c == nullptr ? 0 : row.c[column]);
    });
  }

  // What the rows with first <= index <= last add up to, by column.
  struct Sums {
    std::vector<double> a, c;
    std::vector<double> b;               // empty unless it was asked for
    std::vector<std::uint64_t> present;  // bits of the columns that have a pane among the rows

    bool Has(std::size_t column) const { return (present[column / 64] >> (column % 64)) & 1; }
  };
  // Whole blocks of rows are added up once and kept, so that a window costs a third of its rows.
  // Which rows form a block depends on their indexes alone, and so does the order of the sum.
  Sums Sum(std::int64_t first, std::int64_t last, bool with_b) const;

  // The greatest index that has a row.
  std::int64_t last() const { return high_; }

 private:
  std::size_t words() const { return (stride_ + 63) / 64; }
  // Of a row that is there.
  std::size_t SlotOf(std::int64_t index) const {
    const auto back = static_cast<std::size_t>(high_ - index);
    return back <= high_slot_ ? high_slot_ - back : high_slot_ + rows_ - back;
  }
  Row RowAt(std::size_t slot) const {
    const std::size_t at = slot * stride_;
    return {&first_[at], &second_[at], third_.empty() ? nullptr : &third_[at],
            &present_[slot * words()]};
  }
  struct Block {
    std::int64_t index = INT64_MIN;  // INT64_MIN: void
    bool with_b = false;
    Sums sums;
  };
  static constexpr std::int64_t kBlock = 6;
  static std::int64_t BlockOf(std::int64_t index) { return LastEnded(index, kBlock); }
  Block& PlaceOf(std::int64_t block) const {
    return blocks_[static_cast<std::uint64_t>(block) & (blocks_.size() - 1)];
  }
  void ForgetBlock(std::int64_t index) {
    const std::int64_t block = BlockOf(index);
    Block& kept = PlaceOf(block);
    if (kept.index == block) kept.index = INT64_MIN;
  }
  void ForgetBlocks() {
    blocks_.clear();
    kept_to_ = INT64_MIN;
  }
  const Sums& OfBlock(std::int64_t block, bool with_b) const;
  Sums NoSums(bool with_b) const;
  void AddRows(std::int64_t first, std::int64_t last, Sums& sums) const;

  void Reach(std::int64_t index, std::int64_t rows_hint);
  void ClearRow(std::int64_t index);
  // The same content in other dimensions.
  void Reshape(std::size_t rows, std::size_t stride);

  std::size_t columns_ = 0;
  std::size_t stride_ = 0;  // room for columns
  std::size_t rows_ = 0;
  std::int64_t low_ = INT64_MIN;  // rows low_..high_ are valid
  std::int64_t high_ = INT64_MIN;
  std::size_t high_slot_ = 0;                   // where the last row is
  std::vector<double> first_, second_, third_;  // by row, then by column
  std::vector<std::uint64_t> present_;          // bits by row, then by column
  // By index, around; a power of two, made by the first sum.
  mutable std::vector<Block> blocks_;
  mutable std::int64_t kept_to_ = INT64_MIN;  // the last row of those that are kept
};

}  // namespace liveops::sketch
