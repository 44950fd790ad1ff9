#include "services/liveopsctl/render/table.h"

#include <algorithm>

namespace liveops::ctl {

void Table::Row(std::vector<Cell> cells) {
  cells.resize(headings_.size(), Cell(""));
  for (Cell& cell : cells) {
    cell.text = cell.text.empty() ? "-" : Printable(cell.text);
  }
  rows_.push_back(std::move(cells));
}

std::string Table::ToString(const Style& style) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < headings_.size(); ++i) {
    std::size_t width = DisplayWidth(headings_[i]);
    for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[i].text));
    widths.push_back(width);
  }
  std::string out;
  const auto line = [&](const auto& cell_at) {
    for (std::size_t i = 0; i < headings_.size(); ++i) {
      const Cell& cell = cell_at(i);
      out += Paint(style, cell.tone, cell.text);
      if (i + 1 < headings_.size()) {
        out.append(widths[i] - DisplayWidth(cell.text) + 2, ' ');
      }
    }
    out += '\n';
  };
  std::vector<Cell> top;
  for (const std::string& heading : headings_) top.emplace_back(heading, Tone::kDim);
  line([&](std::size_t i) -> const Cell& { return top[i]; });
  for (const auto& row : rows_) line([&](std::size_t i) -> const Cell& { return row[i]; });
  return out;
}

void Facts::Add(std::string name, Cell value) {
  if (value.text.empty()) return;
  value.text = Printable(value.text);
  facts_.emplace_back(std::move(name), std::move(value));
}

std::string Facts::ToString(const Style& style) const {
  std::size_t width = 0;
  for (const auto& [name, value] : facts_) width = std::max(width, name.size());
  std::string out;
  for (const auto& [name, value] : facts_) {
    out += "  " + Paint(style, Tone::kDim, name);
    out.append(width - name.size() + 2, ' ');
    out += Paint(style, value.tone, value.text) + "\n";
  }
  return out;
}

}  // namespace liveops::ctl
