#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "common/base/text.h"
#include "common/plan/checks.h"
#include "common/plan/expression_parser.h"
#include "common/plan/reads.h"

namespace liveops::plan {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool IsMetricName(std::string_view name) {
  if (name.empty() || name.size() > 255 || !IsLetter(name[0])) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return IsLetter(c) || IsDigit(c) || c == '.' || c == '-' || c == '/' || c == ':';
  });
}

// How much of the text is the name, in which a space stands for any run of blanks; 0 = none.
std::size_t LengthOf(std::string_view name, std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  std::size_t at = 0;
  for (const char c : name) {
    if (at >= text.size()) return 0;
    if (c == ' ' ? !blank(text[at]) : text[at] != c) return 0;
    ++at;
    while (c == ' ' && at < text.size() && blank(text[at])) ++at;
  }
  return at;
}

}  // namespace

// The longest alias that stands here and ends before a space, the end, or one of `ends`.
const std::pair<const std::string, Binding>* ExpressionParser::TakeAlias(std::string_view ends) {
  if (bindings_ == nullptr) return nullptr;
  const std::string_view rest = cursor_.rest();
  const std::pair<const std::string, Binding>* best = nullptr;
  std::size_t best_length = 0;
  for (const auto& entry : bindings_->names) {
    const std::string& name = entry.first;
    const std::size_t length = LengthOf(name, rest);
    if (length == 0 || (best != nullptr && best->first.size() > name.size())) continue;
    const char next = rest.size() > length ? rest[length] : ' ';
    const bool space =
        IsWordEnd(next) && std::string_view("(){}[],<>=!\"'").find(next) == std::string_view::npos;
    if (space || ends.find(next) != std::string_view::npos) {
      best = &entry;
      best_length = length;
    }
  }
  if (best != nullptr) cursor_.MoveTo(cursor_.offset() + best_length);
  return best;
}

// A metric that an alias gives a unit has it under its own name too: `p95(http_request_duration_ms)
// > 0.8s`.
// What it says of one service's holds for another's of that name that says nothing.
std::string ExpressionParser::DeclaredUnit(const Operand& operand) const {
  std::string unit;
  if (bindings_ == nullptr) return unit;
  for (const auto& [name, binding] : bindings_->names) {
    const Operand& named = binding.measure.value();
    if (binding.kind == Binding::Kind::kMeasure || named.metric != operand.metric ||
        binding.measure.capacity != 0 || binding.measure.unit.empty()) {
      continue;
    }
    if (named.service == operand.service) return binding.measure.unit;
    if (unit.empty()) unit = binding.measure.unit;
  }
  return unit;
}

bool ExpressionParser::ReadSeries(Measure& measure) {
  const std::size_t begin = cursor_.offset();
  bool declared = false;  // its unit may be, under another name
  if (const auto* alias = TakeAlias("),{")) {
    if (alias->second.kind == Binding::Kind::kMeasure) {
      return Fail(begin,
                  fmt::format("\"{}\" is a measure of its own, expected a metric", alias->first));
    }
    measure = alias->second.measure;
  } else {
    const std::string word(cursor_.TakeWord());
    if (word.empty()) return FailUnexpected("a metric");
    if (cursor_.Peek() == '(') {
      return Fail(begin,
                  "an aggregate of an aggregate cannot be run yet; a rate is that of all series of "
                  "its group together: rate(metric) by host");
    }
    if (!IsMetricName(word)) {
      return Fail(begin, fmt::format("\"{}\" is not a metric name: a letter, then letters, digits "
                                     "and _ . - / :",
                                     word));
    }
    measure.value().metric = word;
    declared = true;
  }
  if (cursor_.Peek() == '[') {
    return FailHere("the window is written after the closing parenthesis: over 5min");
  }
  if (cursor_.Peek() == '{' && !ReadMatches(measure.value())) return false;
  if (declared) measure.unit = DeclaredUnit(measure.value());
  return true;
}

bool ExpressionParser::ReadService(std::size_t at, Operand& operand) {
  if (cursor_.Take("!=")) {
    return Fail(at, "a service is named and not left out: expected {service=\"payments\"}");
  }
  if (!cursor_.Take("=")) return FailUnexpected("= and the service in quotes");
  const std::size_t begin = cursor_.offset();
  const auto value = cursor_.TakeQuoted();
  if (!value) return FailHere("expected the service in quotes, as in {service=\"payments\"}");
  if (const std::string fault = ServiceNameFault(*value); !fault.empty()) {
    return Fail(begin, fmt::format("service is \"{}\"; {}", Truncate(*value, 60), fault));
  }
  if (!operand.service.empty() && operand.service != *value) {
    return Fail(at,
                fmt::format("the series are of {} already; a measure over several services is "
                            "made of one aggregate each, as in sum(a) + sum(a{{service=\"{}\"}})",
                            operand.service, *value));
  }
  operand.service = bindings_ != nullptr && bindings_->service == *value ? "" : *value;
  return true;
}

bool ExpressionParser::CheckServices(const Condition& condition) {
  const std::vector<std::string> services = ServicesRead(condition);
  if (services.empty()) return true;
  for (std::size_t i = 0; i < TestCount(condition); ++i) {
    if (const char* phrase = WholeOnly(TestOf(condition, i))) {
      return Fail(0, fmt::format("{} cannot be run in a condition that reads the series of another "
                                 "service, as this one does of {}",
                                 phrase, services.front()));
    }
  }
  return true;
}

bool ExpressionParser::ReadMatches(Operand& operand) {
  cursor_.Take("{");
  do {
    const std::size_t at = cursor_.offset();
    const std::string name(cursor_.TakeWord());
    if (name.empty() || !IsMetricName(name))
      return Fail(at, "expected a label, as in {code=\"500\"}");
    if (cursor_.rest().starts_with("=~") || cursor_.rest().starts_with("!~")) {
      return FailHere("matching by pattern cannot be run yet; expected = or !=");
    }
    if (name == kServiceLabel) {
      if (!ReadService(at, operand)) return false;
      continue;
    }
    LabelMatch match{name, cursor_.Take("!="), ""};
    if (!match.negate && !cursor_.Take("=")) return FailUnexpected("= or != after the label");
    auto value = cursor_.TakeQuoted();
    if (!value) return FailHere("expected the label's value in quotes, as in {code=\"500\"}");
    match.value = std::move(*value);
    operand.matches.push_back(std::move(match));
  } while (cursor_.Take(","));
  if (!cursor_.Take("}")) return FailUnexpected("\",\" or \"}\"");
  // One order, so that two ways to write one filter are one condition.
  auto& matches = operand.matches;
  const auto key = [](const LabelMatch& m) { return std::tie(m.name, m.negate, m.value); };
  std::sort(matches.begin(), matches.end(),
            [&](const LabelMatch& a, const LabelMatch& b) { return key(a) < key(b); });
  matches.erase(std::unique(matches.begin(), matches.end()), matches.end());
  return true;
}

bool ExpressionParser::ReadCounted(Operand& operand) {
  if (!cursor_.Take(",")) {
    return FailUnexpected(
        "\",\" and the label whose values are counted, as in distinct(metric, user)");
  }
  return ReadLabel("whose values are counted, as in distinct(metric, user)", operand.label);
}

// `http_ok_count`, or `http_request_count - http_5xx_count`.
bool ExpressionParser::ReadGoodEvents(GoodEvents& good) {
  Measure series;
  good.series_offset = cursor_.offset();
  if (!ReadSeries(series)) return false;
  if (!series.value().service.empty())
    return Fail(good.series_offset, ForeignEventsFault(series.value()));
  good.series = std::move(series.value());
  if (cursor_.Take("-")) {
    Measure without;
    const std::size_t at = cursor_.offset();
    if (!ReadSeries(without)) return false;
    if (!without.value().service.empty()) return Fail(at, ForeignEventsFault(without.value()));
    good.without = std::move(without.value());
  }
  return cursor_.AtEnd() ||
         FailHere(fmt::format("found {}, expected {}", Found(),
                              good.without ? "the end" : "the end, or - and the bad events"));
}

std::string ForeignEventsFault(const Operand& operand) {
  return fmt::format(
      "an objective is over its own service's series, {} is of {}; an alarm may read it",
      operand.metric, operand.service);
}

bool ExpressionParser::ReadWholeSeries(Operand& operand) {
  Measure measure;
  if (!ReadSeries(measure)) return false;
  operand = std::move(measure.value());
  return cursor_.AtEnd() || FailUnexpected("the end");
}

std::string AliasFault(std::string_view name) {
  if (name.empty() || name.size() > 100) return "a name has 1 to 100 characters";
  if (name.front() == ' ' || name.back() == ' ')
    return "a name neither begins nor ends with a space";
  for (const char c : name) {
    if (c != ' ' && (IsWordEnd(c) || static_cast<unsigned char>(c) < 0x20)) {
      return "a name is made of words without ( ) { } [ ] , < > = ! and quotes";
    }
  }
  for (const std::string_view word : Split(name, ' ')) {
    if (IsKeyword(word)) return fmt::format("the word \"{}\" has a meaning in conditions", word);
  }
  return "";
}

}  // namespace liveops::plan
