#include "services/ingest/source/cost_report/csv.h"

#include <algorithm>

namespace liveops::ingest::cost {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::size_t Lines(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

CsvReader::CsvReader(std::string_view text) : rest_(text) {
  if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
}

// Up to a comma or the line's end.
std::string_view CsvReader::Plain() {
  const std::string_view field = rest_.substr(0, rest_.find_first_of(",\n"));
  rest_.remove_prefix(field.size());
  return field;
}

// Behind its first quote, up to behind its last.
std::string_view CsvReader::Quoted() {
  std::string* joined = nullptr;
  while (true) {
    const std::size_t quote = rest_.find('"');
    if (quote == std::string_view::npos) {
      problem_ = "a quoted field does not end";
      at_line_ += Lines(rest_);
      rest_ = {};
      return {};
    }
    const std::string_view part = rest_.substr(0, quote);
    at_line_ += Lines(part);
    const bool doubled = quote + 1 < rest_.size() && rest_[quote + 1] == '"';
    if (doubled && joined == nullptr) joined = &unquoted_.emplace_back();
    if (joined != nullptr) joined->append(part);
    rest_.remove_prefix(quote + (doubled ? 2 : 1));
    if (!doubled) return joined == nullptr ? part : std::string_view(*joined);
    joined->push_back('"');
  }
}

// To the next line.
void CsvReader::PassOver() {
  const std::size_t end = rest_.find('\n');
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  ++at_line_;
}

bool CsvReader::Next() {
  fields_.clear();
  unquoted_.clear();
  problem_ = {};
  while (rest_.starts_with('\n') || rest_.starts_with("\r\n")) PassOver();
  if (rest_.empty()) return false;
  line_ = at_line_;
  while (true) {
    if (rest_.starts_with('"')) {
      rest_.remove_prefix(1);
      fields_.push_back(Quoted());
      if (problem_.empty() && rest_.starts_with('\r')) rest_.remove_prefix(1);
      if (problem_.empty() && !rest_.empty() && rest_[0] != ',' && rest_[0] != '\n')
        problem_ = "a quoted field goes on behind its quote";
    } else {
      fields_.push_back(Plain());
      const bool last = rest_.empty() || rest_[0] == '\n';
      if (last && fields_.back().ends_with('\r')) fields_.back().remove_suffix(1);
    }
    if (!problem_.empty() || rest_.empty() || rest_[0] == '\n') {
      PassOver();
      return true;
    }
    rest_.remove_prefix(1);
  }
}

}  // namespace liveops::ingest::cost
