#include "common/plan/cursor.h"

#include <charconv>
#include <cmath>

namespace liveops::plan {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool IsWordEnd(char c) {
  return IsSpace(c) || std::string_view("(){}[],<>=!\"'").find(c) != std::string_view::npos;
}

std::size_t Cursor::offset() {
  while (offset_ < text_.size() && IsSpace(text_[offset_])) ++offset_;
  return offset_;
}

bool Cursor::AtSpace() const { return offset_ >= text_.size() || IsSpace(text_[offset_]); }

std::string_view Cursor::PeekWord() {
  const std::size_t begin = offset();
  std::size_t end = begin;
  while (end < text_.size() && !IsWordEnd(text_[end])) ++end;
  return text_.substr(begin, end - begin);
}

std::string_view Cursor::TakeWord() {
  const std::string_view word = PeekWord();
  offset_ += word.size();
  return word;
}

bool Cursor::TakeKeyword(std::string_view word) {
  if (PeekWord() != word) return false;
  offset_ += word.size();
  return true;
}

bool Cursor::Take(std::string_view symbol) {
  if (!rest().starts_with(symbol)) return false;
  offset_ += symbol.size();
  return true;
}

std::optional<double> Cursor::TakeNumber() {
  const std::string_view text = rest();
  const std::size_t sign = text.starts_with('-') ? 1 : 0;
  if (text.size() <= sign || !IsDigit(text[sign])) return std::nullopt;
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  offset_ += static_cast<std::size_t>(end - text.data());
  return value + 0.0;  // -0 is 0
}

Result<Duration> Cursor::TakeDuration() {
  const std::size_t begin = offset();
  std::string word(TakeWord());
  if (!word.empty() && word.find_first_not_of("0123456789") == std::string::npos) {
    const std::string_view next = PeekWord();  // "5 min"
    if (!next.empty() && (next[0] < '0' || next[0] > '9')) {
      auto apart = ParseDuration(word + std::string(next));
      if (!apart.ok()) {
        offset_ = begin;
        return apart;
      }
      word += TakeWord();
    }
  }
  auto duration = ParseDuration(word);
  if (!duration.ok()) offset_ = begin;
  return duration;
}

std::optional<std::string> Cursor::TakeQuoted() {
  const std::string_view text = rest();
  if (text.empty() || (text[0] != '"' && text[0] != '\'')) return std::nullopt;
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == text[0]) {
      offset_ += i + 1;
      return value;
    }
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    value += text[i];
  }
  return std::nullopt;
}

}  // namespace liveops::plan
