#include "common/sketch/pane_grid.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

namespace liveops::sketch {
namespace {

struct Three {
  double a = 0, b = 0, c = 0;
  friend bool operator==(const Three&, const Three&) = default;
};
using Model = std::vector<std::map<std::int64_t, Three>>;  // by column

std::map<std::int64_t, Three> Column(const PaneGrid& grid, std::size_t column, std::int64_t from,
                                     std::int64_t to) {
  std::map<std::int64_t, Three> panes;
  grid.ForRows(from, to, [&](std::int64_t index, const PaneGrid::Row& row) {
    if (row.Has(column))
      panes[index] = {row.a[column], row.b[column], row.c == nullptr ? 0 : row.c[column]};
  });
  return panes;
}

TEST(PaneGrid, IsEmptyAtFirst) {
  PaneGrid grid;
  grid.AddColumn();
  int rows = 0;
  grid.ForRows(-100, 100, [&](std::int64_t, const PaneGrid::Row&) { ++rows; });
  EXPECT_EQ(rows, 0);
}

TEST(PaneGrid, SaysWhatIsFresh) {
  PaneGrid grid;
  grid.AddColumn();
  EXPECT_TRUE(grid.Put(7, 0, 30).fresh);
  EXPECT_FALSE(grid.Put(7, 0, 30).fresh);
  grid.DropBefore(8);
  grid.Put(8 + 40, 0, 30);
  EXPECT_TRUE(grid.Put(9, 0, 30).fresh);
}

TEST(PaneGrid, ASlotIsCleanWhenItIsUsedAgain) {
  PaneGrid grid;
  grid.AddColumn();
  for (std::int64_t i = -5; i < 500; ++i) {
    grid.DropBefore(i - 9);
    auto cell = grid.Put(i, 0, 10);
    EXPECT_TRUE(cell.fresh) << i;
    cell.a += 1;
    if (i % 7 == 0) cell.set_c(cell.c() + 1);
  }
  double a = 0;
  double c = 0;
  grid.ForColumn(0, 0, 1000, [&](double x, double, double z) {
    a += x;
    c += z;
  });
  EXPECT_EQ(a, 10);
  EXPECT_EQ(c, 2);  // 490 and 497
}

void ExpectSums(const PaneGrid& grid, const Model& model, std::int64_t base, unsigned seed) {
  for (const std::int64_t length : {1, 7, 30}) {
    const auto sums = grid.Sum(base, base + length - 1, true);
    const auto less = grid.Sum(base, base + length - 1, false);
    for (std::size_t i = 0; i < model.size(); ++i) {
      Three sum;
      bool any = false;
      for (auto it = model[i].lower_bound(base); it != model[i].end() && it->first < base + length;
           ++it) {
        any = true;
        sum = {sum.a + it->second.a, sum.b + it->second.b, sum.c + it->second.c};
      }
      ASSERT_EQ((Three{sums.a[i], sums.b[i], sums.c[i]}), sum) << "seed " << seed;
      ASSERT_EQ((Three{less.a[i], sum.b, less.c[i]}), sum) << "seed " << seed;
      ASSERT_EQ(sums.Has(i), any) << "seed " << seed;
    }
  }
}

// Whatever is done to it, it holds what a map of maps would.
TEST(PaneGrid, HoldsWhatAMapWould) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](std::int64_t low, std::int64_t high) {
      return std::uniform_int_distribution<std::int64_t>(low, high)(random);
    };
    PaneGrid grid;
    Model model;
    std::int64_t base = pick(-50, 50);
    const std::int64_t window = pick(1, 40);
    for (int step = 0; step < 400; ++step) {
      const std::int64_t what = pick(0, 99);
      if (model.empty() || what < 4) {
        for (std::int64_t n = pick(1, 70); n > 0; --n) {
          grid.AddColumn();
          model.emplace_back();
        }
      } else if (what < 6) {
        const std::int64_t column = pick(0, static_cast<std::int64_t>(model.size()) - 1);
        grid.RemoveColumn(static_cast<std::size_t>(column));
        model.erase(model.begin() + column);
      } else if (what == 6) {
        std::vector<std::size_t> from;
        for (std::size_t i = 0; i < model.size(); ++i) {
          if (pick(0, 3) > 0) from.push_back(i);
        }
        grid.KeepColumns(0, from);
        Model kept;
        for (const std::size_t column : from) kept.push_back(model[column]);
        model = std::move(kept);
      } else if (what < 20) {
        base += what == 7 ? pick(0, 200) : pick(0, 3);
        grid.DropBefore(base);
        for (auto& column : model) column.erase(column.begin(), column.lower_bound(base));
      } else if (what == 20) {
        grid.Clear();
        model.clear();
      } else {
        const auto column =
            static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(model.size()) - 1));
        const std::int64_t index = base + pick(0, window + 5);
        if (what > 95) ExpectSums(grid, model, base, seed);
        auto cell = grid.Put(index, column, window);
        Three& three = model[column][index];
        cell.a += 1;
        three.a += 1;
        cell.b = static_cast<double>(step);
        three.b = static_cast<double>(step);
        if (pick(0, 20) == 0) {
          cell.set_c(cell.c() + 2);
          three.c += 2;
        }
      }
    }
    ASSERT_EQ(grid.columns(), model.size());
    ExpectSums(grid, model, base, seed);
    for (std::size_t i = 0; i < model.size(); ++i) {
      ASSERT_EQ(Column(grid, i, base, base + 1000), model[i]) << "seed " << seed << " column " << i;
    }
  }
}

}  // namespace
}  // namespace liveops::sketch
