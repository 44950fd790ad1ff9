#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"

namespace liveops::plan {

// A position in the text of an expression, and the words of the language read from there. Every
// reader skips spaces first and leaves the position where it was when it finds something else. Not
// thread-safe.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  // Of the next character that is not a space.
  std::size_t offset();
  void MoveTo(std::size_t offset) { offset_ = offset; }
  bool AtEnd() { return offset() == text_.size(); }
  // A space or the end comes next.
  bool AtSpace() const;
  char Peek() { return AtEnd() ? '\0' : text_[offset_]; }
  std::string_view rest() { return text_.substr(offset()); }

  // The run of characters up to a space or one of `(){}[],<>=!"'`; "" when there is none.
  std::string_view PeekWord();
  std::string_view TakeWord();
  bool TakeKeyword(std::string_view word);
  bool Take(std::string_view symbol);

  // `-12.5`; no exponent. Nothing when no number stands here or when a double cannot hold it.
  std::optional<double> TakeNumber();
  // `5min`, `1h30min`, also `5 min`.
  Result<Duration> TakeDuration();
  // `"…"` or `'…'` with `\"`, `\'` and `\\`.
  std::optional<std::string> TakeQuoted();

 private:
  std::string_view text_;
  std::size_t offset_ = 0;
};

bool IsWordEnd(char c);

}  // namespace liveops::plan
