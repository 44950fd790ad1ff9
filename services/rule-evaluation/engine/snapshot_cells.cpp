#include <algorithm>

#include "services/rule-evaluation/engine/snapshot_parts.h"

namespace liveops::engine {

namespace {

// Beside the kind of its cell: that it is forgotten.
constexpr std::uint64_t kForgottenBit = 8;
static_assert(static_cast<std::uint64_t>(Cell::kDistinct) < kForgottenBit);

}  // namespace

void WriteMember(const Rule& rule, const Cells& cells, std::size_t column, ByteWriter& out) {
  const std::int64_t from = rule.FirstKept(cells.test);
  const Member& m = cells.members[column];
  out.Varint(m.operand);
  out.Varint(static_cast<std::uint64_t>(m.cell) | (m.forgotten ? kForgottenBit : 0));
  out.Double(m.factor);
  out.Double(m.bound);
  if (m.cell == Cell::kDistinct) out.Fixed64(m.hash);
  const auto write = [&](const Member::Last& last) {
    out.Signed(last.ms);
    out.Double(last.value);
    out.Double(last.cover_ms);
  };
  write(m.newest);
  out.Varint(m.older ? m.older->size() : 0);
  if (m.older) std::for_each(m.older->begin(), m.older->end(), write);
  std::uint64_t panes = 0;
  cells.grid.ForRows(from, cells.grid.last(),
                     [&](std::int64_t, const auto& row) { panes += row.Has(column) ? 1 : 0; });
  out.Varint(panes);
  std::int64_t last = 0;
  cells.grid.ForRows(from, cells.grid.last(), [&](std::int64_t index, const auto& r) {
    if (!r.Has(column)) return;
    out.Signed(index - last);
    last = index;
    for (const double v : {r.a[column], r.b[column], r.c == nullptr ? 0.0 : r.c[column]}) {
      out.Double(v);
    }
  });
}

namespace {

void ReadLast(Member::Last& last, ByteReader& in) {
  last.ms = in.Milliseconds(INT64_MIN);
  last.value = in.Double();
  last.cover_ms = in.Double();
}

// A day, and beyond: nothing runs ahead of what was judged for longer.
constexpr std::int64_t kAheadMs = 90'000'000;

bool ReadLastMember(const Rule& rule, Cells& cells, ByteReader& in) {
  Member& m = cells.members.back();
  m.operand = static_cast<std::uint8_t>(in.Varint() % plan::Measure::kOperandsMax);
  const std::uint64_t kind = in.Varint();
  const std::uint64_t cell = kind & ~kForgottenBit;
  if (cell > static_cast<std::uint64_t>(Cell::kDistinct)) return false;
  m.cell = static_cast<Cell>(cell);
  m.forgotten = kind != cell;
  cells.departing |= Departs(m.cell);
  m.factor = in.Double();
  m.bound = in.Double();
  if (m.cell == Cell::kDistinct) m.hash = in.Fixed64();
  ReadLast(m.newest, in);
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    if (!m.older) m.older = std::make_unique<std::vector<Member::Last>>();
    ReadLast(m.older->emplace_back(), in);
  }
  const Window& window = rule.windows[cells.test];
  const std::int64_t from = rule.FirstKept(cells.test);
  const std::int64_t to = from + window.panes + kAheadMs / window.pane_ms;
  std::int64_t index = 0;
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    if (__builtin_add_overflow(index, in.Signed(), &index) || index < from || index > to) {
      return false;
    }
    double values[3];
    for (double& v : values) v = in.Double();
    auto pane = cells.grid.Put(index, cells.members.size() - 1, window.panes);
    pane.a = values[0];
    pane.b = values[1];
    if (values[2] != 0) pane.set_c(values[2]);
  }
  return in.ok() && m.operand < cells.distributions.size() &&
         (m.cell != Cell::kDistinct || m.operand < cells.distinct.size());
}

void WriteRoll(const Roll& roll, ByteWriter& out) {
  out.Varint(roll.size());
  for (const auto& [value, series] : roll) {
    out.String(value);
    out.Varint(series.size());
    for (const std::uint32_t id : series) out.Varint(id);
  }
}

// The numbers of a value's series ascend.
bool ReadRoll(State& s, Rule& rule, Cells& cells, ByteReader& in) {
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    auto& series = cells.roll[std::string(in.String())];
    if (!series.empty()) return false;  // twice
    for (std::uint64_t k = in.Varint(); k > 0 && in.ok(); --k) {
      const std::uint64_t id = in.Varint();
      if (!s.series.Has(id) || (!series.empty() && id <= series.back())) return false;
      series.push_back(static_cast<std::uint32_t>(id));
      ++s.series.at(series.back()).members;
      ++rule.rolled;
    }
    if (series.empty()) return false;
  }
  return in.ok();
}

template <typename T>
void WritePanes(const sketch::Panes<T>& panes, ByteWriter& out) {
  out.Varint(panes.entries().size());
  for (const auto& entry : panes.entries()) {
    out.Signed(entry.index);
    entry.value.Write(out);
  }
}

template <typename T>
bool ReadPanes(sketch::Panes<T>& panes, ByteReader& in) {
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    const std::int64_t index = in.Signed();
    T pane;
    if (!pane.Read(in) || (!panes.empty() && index <= panes.entries().back().index)) return false;
    panes.Append(index, std::move(pane));
  }
  return true;
}

}  // namespace

bool ReadMember(const Rule& rule, Cells& cells, std::uint32_t series, ByteReader& in) {
  cells.grid.AddColumn();
  cells.members.emplace_back().series = series;
  if (ReadLastMember(rule, cells, in)) return true;
  cells.members.pop_back();
  cells.grid.RemoveColumn(cells.members.size());
  return false;
}

void WriteObserved(const Cells& cells, ByteWriter& out) {
  out.Varint(cells.bounds.size());
  for (const double bound : cells.bounds) out.Double(bound);
  for (const auto& panes : cells.distributions) WritePanes(panes, out);
  for (const auto& panes : cells.distinct) WritePanes(panes, out);
}

bool ReadObserved(Cells& cells, ByteReader& in) {
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) cells.bounds.push_back(in.Double());
  for (auto& panes : cells.distributions) {
    if (!ReadPanes(panes, in)) return false;
  }
  for (auto& panes : cells.distinct) {
    if (!ReadPanes(panes, in)) return false;
  }
  return in.ok();
}

void WriteCells(const Rule& rule, const Cells& cells, ByteWriter& out) {
  WriteObserved(cells, out);
  out.Varint(cells.members.size());
  for (std::size_t i = 0; i < cells.members.size(); ++i) {
    out.Varint(cells.members[i].series);
    WriteMember(rule, cells, i, out);
  }
  if (CountsReporters(rule.test(cells.test))) WriteRoll(cells.roll, out);
}

bool ReadCells(State& s, Rule& rule, Cells& cells, ByteReader& in) {
  if (!ReadObserved(cells, in)) return false;
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    const auto series = static_cast<std::uint32_t>(in.Varint());
    if (!s.series.Has(series) || !ReadMember(rule, cells, series, in)) return false;
    ++s.series.at(series).members;
    if (cells.members.back().forgotten) ++s.series.at(series).forgotten;
  }
  if (!in.ok()) return false;
  IndexMembers(s, rule, cells);
  return !CountsReporters(rule.test(cells.test)) || ReadRoll(s, rule, cells, in);
}

}  // namespace liveops::engine
