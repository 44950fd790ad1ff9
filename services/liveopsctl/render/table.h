#pragma once

#include <string>
#include <vector>

#include "services/liveopsctl/render/text.h"

namespace liveops::ctl {

struct Cell {
  Cell(std::string t) : text(std::move(t)) {}  // NOLINT: implicit by intent
  Cell(const char* t) : text(t) {}             // NOLINT
  Cell(std::string t, Tone how) : text(std::move(t)), tone(how) {}
  std::string text;
  Tone tone = Tone::kPlain;
};

// Rows under headings, aligned to the widest cell, two spaces between columns, nothing after the
// last. Cells are made Printable; an empty one is shown as "-".
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
  void Row(std::vector<Cell> cells);  // as many as headings
  std::string ToString(const Style& style) const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<Cell>> rows_;
};

// "  name   value" lines: a heading and what belongs to it, values aligned. Empty values are left
// out. Values are made Printable.
class Facts {
 public:
  void Add(std::string name, Cell value);
  std::string ToString(const Style& style) const;

 private:
  std::vector<std::pair<std::string, Cell>> facts_;
};

}  // namespace liveops::ctl
