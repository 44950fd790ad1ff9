#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

#include "common/base/text.h"
#include "common/plan/expression_parser.h"
#include "common/plan/units.h"

namespace liveops::plan {
namespace {

constexpr std::string_view kOperators = "<>=!";

struct Function {
  std::string_view name;
  Aggregate aggregate;
};

constexpr Function kFunctions[] = {
    {"last", Aggregate::kLast},         {"avg", Aggregate::kAvg},   {"min", Aggregate::kMin},
    {"max", Aggregate::kMax},           {"sum", Aggregate::kSum},   {"count", Aggregate::kCount},
    {"increase", Aggregate::kIncrease}, {"rate", Aggregate::kRate},
};

// Of other rule languages, or of this one later.
constexpr std::string_view kFunctionsToCome[] = {
    "topk",    "bottomk", "distinct", "stddev", "stdvar",   "delta",
    "deriv",   "predict", "forecast", "absent", "anomaly",  "changes",
    "irate",   "idelta",  "abs",      "clamp",  "quantile", "histogram_quantile",
    "outlier", "burn",    "burnrate", "not",    "zscore"};

const std::vector<std::string>& FunctionNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Function& f : kFunctions) all.emplace_back(f.name);
    all.emplace_back("ratio");
    all.emplace_back("p95");
    return all;
  }();
  return names;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool IsMetricName(std::string_view name) {
  if (name.empty() || name.size() > 255 || !IsLetter(name[0])) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return IsLetter(c) || IsDigit(c) || c == '.' || c == '-' || c == '/' || c == ':';
  });
}

// What an aggregate of something in `unit` is in; "" = not known.
std::string UnitOf(Aggregate aggregate, const std::string& unit) {
  return aggregate == Aggregate::kCount ? "1" : unit;
}

}  // namespace

std::optional<double> ParseQuantileName(std::string_view word) {
  if (word.size() < 2 || word[0] != 'p' || !IsDigit(word[1]) || word.back() == '.')
    return std::nullopt;
  // "99.9" as 99.9e-2, rounded once; 99.9 / 100 would be rounded twice.
  const std::string text = std::string(word.substr(1)) + "e-2";
  if (text.find_first_not_of("0123456789.") != text.size() - 3) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value > 0 && value < 1 ? std::optional(value) : std::nullopt;
}

std::optional<Duration> ParsePer(std::string_view word) {
  auto time = ParseDuration(word);
  if (!time.ok()) time = ParseDuration("1" + std::string(word));
  if (word == "second") time = Duration(1000);
  if (word == "minute") time = Duration(60'000);
  if (!time.ok() || time->count() <= 0) return std::nullopt;
  return *time;
}

// The longest alias that stands here and ends before a space, the end, or one of `ends`.
const std::pair<const std::string, Binding>* ExpressionParser::TakeAlias(std::string_view ends) {
  if (bindings_ == nullptr) return nullptr;
  const std::string_view rest = cursor_.rest();
  const std::pair<const std::string, Binding>* best = nullptr;
  for (const auto& entry : bindings_->names) {
    const std::string& name = entry.first;
    if (!rest.starts_with(name) || (best != nullptr && best->first.size() > name.size())) continue;
    const char next = rest.size() > name.size() ? rest[name.size()] : ' ';
    const bool space =
        IsWordEnd(next) && std::string_view("(){}[],<>=!\"'").find(next) == std::string_view::npos;
    if (space || ends.find(next) != std::string_view::npos) best = &entry;
  }
  if (best != nullptr) cursor_.Take(best->first);
  return best;
}

// A metric that an alias gives a unit has it under its own name too: `p95(http_request_duration_ms)
// > 0.8s`.
std::string ExpressionParser::DeclaredUnit(std::string_view metric) const {
  if (bindings_ == nullptr) return "";
  for (const auto& [name, binding] : bindings_->names) {
    if (binding.kind != Binding::Kind::kMeasure && binding.measure.value.metric == metric &&
        binding.measure.capacity == 0 && !binding.measure.unit.empty()) {
      return binding.measure.unit;
    }
  }
  return "";
}

bool ExpressionParser::ReadMeasure(Measure& measure) {
  if (cursor_.AtEnd())
    return FailHere("expected a measure, such as p95(metric) or a name under metrics");
  const std::size_t begin = cursor_.offset();
  if (const auto* alias = TakeAlias(kOperators)) {
    if (alias->second.kind == Binding::Kind::kDistribution) {
      return Fail(begin, fmt::format("\"{0}\" is a distribution, say which quantile of it: p95 {0}",
                                     alias->first));
    }
    measure = alias->second.measure;
    return true;
  }
  const std::string word(cursor_.TakeWord());
  if (!word.empty() && cursor_.Peek() == '(') {
    cursor_.MoveTo(begin);
    return ReadCall(word, measure);
  }
  if (const auto quantile = ParseQuantileName(word))
    return ReadQuantile(*quantile, begin, word, measure);
  cursor_.MoveTo(begin);
  return FailUnbound();
}

// `p95 latency`, or bare `p95` of the default distribution.
bool ExpressionParser::ReadQuantile(double quantile, std::size_t begin, std::string_view word,
                                    Measure& measure) {
  const std::size_t alias_begin = cursor_.offset();
  const auto* alias = TakeAlias(kOperators);
  if (alias == nullptr && !cursor_.PeekWord().empty() && !IsKeyword(cursor_.PeekWord())) {
    return FailUnbound();
  }
  if (alias == nullptr && bindings_ != nullptr) {
    const auto found = bindings_->names.find(bindings_->default_distribution);
    if (found != bindings_->names.end()) alias = &*found;
  }
  // The default may be one of the broken ones, which were told where they stand.
  if (alias == nullptr && bindings_ != nullptr && !bindings_->broken.empty()) return false;
  if (alias == nullptr) {
    return Fail(begin,
                fmt::format("{0} of what? Write {0}(metric), or bind a default under metrics: "
                            "latency: {{distribution: metric, unit: ms, default: true}}",
                            word));
  }
  if (alias->second.kind == Binding::Kind::kMeasure) {
    return Fail(alias_begin,
                fmt::format("\"{}\" is not a metric, it has no {}", alias->first, word));
  }
  measure = alias->second.measure;
  measure.value.aggregate = Aggregate::kQuantile;
  measure.value.quantile = quantile;
  return true;
}

bool ExpressionParser::FailUnbound() {
  const std::size_t begin = cursor_.offset();
  std::string name;
  while (!cursor_.AtEnd() && !IsKeyword(cursor_.PeekWord())) {
    const std::string_view word = cursor_.TakeWord();
    if (word.empty()) break;
    name += (name.empty() ? "" : " ") + std::string(word);
  }
  cursor_.MoveTo(begin);
  if (name.empty()) return FailUnexpected("a measure, such as p95(metric) or a name under metrics");
  std::vector<std::string> known;
  if (bindings_ != nullptr) {
    for (const auto& [alias, binding] : bindings_->names) {
      if (binding.measure.value.metric == name) {
        return Fail(begin,
                    fmt::format("\"{0}\" is a metric, say how to read it: last({0}), avg({0}), "
                                "rate({0}), p95({0}), … or by its name \"{1}\"",
                                name, alias));
      }
      known.push_back(alias);
    }
    // By its beginning: what follows a broken name may look like a part of it.
    for (const std::string& broken : bindings_->broken) {
      if (name.starts_with(broken)) return false;
    }
  }
  if (known.empty()) {
    return Fail(begin,
                fmt::format("unknown name \"{}\"; write an aggregate such as avg(metric), or "
                            "bind the name under metrics",
                            name));
  }
  return Fail(begin, fmt::format("unknown name \"{}\"{}", name, Suggestion(name, known)));
}

bool ExpressionParser::ReadCall(std::string_view function, Measure& measure) {
  const std::size_t begin = cursor_.offset();
  cursor_.TakeWord();
  if (function == "ratio") return ReadRatio(measure);
  const auto* known = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                   [&](const Function& f) { return f.name == function; });
  const auto quantile = ParseQuantileName(function);
  if (known == std::end(kFunctions) && !quantile) {
    if (std::find(std::begin(kFunctionsToCome), std::end(kFunctionsToCome), function) !=
        std::end(kFunctionsToCome)) {
      return Fail(begin,
                  fmt::format("{} cannot be run yet; what can: pNN, rate, increase, count, sum, "
                              "avg, min, max, last, ratio",
                              function));
    }
    if (function.size() > 1 && function[0] == 'p' && IsDigit(function[1])) {
      return Fail(begin, fmt::format("\"{}\" is not a quantile between p0 and p100, such as p95 or "
                                     "p99.9",
                                     function));
    }
    return Fail(begin, fmt::format("unknown aggregate \"{}\"{}", function,
                                   Suggestion(function, FunctionNames())));
  }
  cursor_.Take("(");
  if (!ReadSeries(measure)) return false;
  if (!cursor_.Take(")")) return FailUnexpected("\")\"");
  measure.value.aggregate = quantile ? Aggregate::kQuantile : known->aggregate;
  measure.value.quantile = quantile.value_or(0);
  measure.unit = UnitOf(measure.value.aggregate, measure.unit);
  if (measure.value.aggregate == Aggregate::kRate) measure.per = Duration(1000);
  while (true) {
    if (cursor_.PeekWord() == "per") {
      if (!ReadPer(measure)) return false;
    } else if (cursor_.PeekWord() == "of") {
      if (!ReadCapacity(measure)) return false;
    } else {
      return true;
    }
  }
}

bool ExpressionParser::ReadRatio(Measure& measure) {
  cursor_.Take("(");
  Measure below;
  if (!ReadSeries(measure)) return false;
  if (!cursor_.Take(",")) return FailUnexpected("\",\" and the metric to divide by");
  if (!ReadSeries(below)) return false;
  if (!cursor_.Take(")")) return FailUnexpected("\")\"");
  measure.value.aggregate = Aggregate::kIncrease;
  below.value.aggregate = Aggregate::kIncrease;
  measure.denominator = below.value;
  measure.capacity = 0;
  measure.unit.clear();
  return true;
}

bool ExpressionParser::ReadPer(Measure& measure) {
  const std::size_t begin = cursor_.offset();
  cursor_.TakeWord();
  if (measure.value.aggregate != Aggregate::kRate) {
    return Fail(begin, "only a rate is per time; expected by, over or a comparison");
  }
  const std::size_t at = cursor_.offset();
  const auto per = ParsePer(cursor_.TakeWord());
  if (!per) return Fail(at, "expected a length of time after per: s, min, h, 5min");
  measure.per = *per;
  return true;
}

bool ExpressionParser::ReadCapacity(Measure& measure) {
  const std::size_t begin = cursor_.offset();
  cursor_.TakeWord();
  if (measure.capacity > 0)
    return Fail(begin, "the capacity is given already, by the metric's name");
  const std::size_t at = cursor_.offset();
  const auto capacity = cursor_.TakeNumber();
  if (!capacity || *capacity <= 0) return Fail(at, "expected a capacity above 0 after of");
  measure.capacity = *capacity;
  return true;
}

bool ExpressionParser::ReadSeries(Measure& measure) {
  const std::size_t begin = cursor_.offset();
  if (const auto* alias = TakeAlias("),{")) {
    if (alias->second.kind == Binding::Kind::kMeasure) {
      return Fail(begin,
                  fmt::format("\"{}\" is a measure of its own, expected a metric", alias->first));
    }
    measure = alias->second.measure;
  } else {
    const std::string word(cursor_.TakeWord());
    if (word.empty()) return FailUnexpected("a metric");
    if (cursor_.Peek() == '(') return Fail(begin, "an aggregate of an aggregate cannot be run yet");
    if (!IsMetricName(word)) {
      return Fail(begin, fmt::format("\"{}\" is not a metric name: a letter, then letters, digits "
                                     "and _ . - / :",
                                     word));
    }
    measure.value.metric = word;
    measure.unit = DeclaredUnit(word);
  }
  if (cursor_.Peek() == '[') {
    return FailHere("the window is written after the closing parenthesis: over 5min");
  }
  return cursor_.Peek() != '{' || ReadMatches(measure.value);
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

bool ExpressionParser::ReadWholeSeries(Operand& operand) {
  Measure measure;
  if (!ReadSeries(measure)) return false;
  operand = std::move(measure.value);
  return cursor_.AtEnd() || FailUnexpected("the end");
}

}  // namespace liveops::plan
