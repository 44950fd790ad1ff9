#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace liveops::ingest::cost {

// Records of comma-separated values (RFC 4180), one after the other: fields may be quoted, and then
// hold commas, line ends and doubled quotes. Lines end with LF or CRLF; empty ones are passed over,
// as is a byte order mark. Views the text, which must outlive it. Pure.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text);

  // The next record; false at the end.
  bool Next();
  // Of the record: they hold until the next one. Where `problem` is not empty they are void.
  const std::vector<std::string_view>& fields() const { return fields_; }
  std::size_t line() const { return line_; }  // where it begins; the first is 1
  // Why it is no record: a quoted field that does not end, or goes on behind its quote.
  std::string_view problem() const { return problem_; }

 private:
  std::string_view Plain();
  std::string_view Quoted();
  void PassOver();

  std::string_view rest_;
  std::size_t at_line_ = 1;
  std::size_t line_ = 0;
  std::vector<std::string_view> fields_;
  std::deque<std::string> unquoted_;  // those that had doubled quotes
  std::string_view problem_;
};

}  // namespace liveops::ingest::cost
