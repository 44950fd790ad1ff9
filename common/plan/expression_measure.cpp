#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/base/text.h"
#include "common/plan/expression_parser.h"
#include "common/plan/hints.h"
#include "common/plan/units.h"

namespace liveops::plan {
namespace {

struct Function {
  std::string_view name;
  Aggregate aggregate;
};

constexpr Function kFunctions[] = {
    {"last", Aggregate::kLast},         {"avg", Aggregate::kAvg},   {"min", Aggregate::kMin},
    {"max", Aggregate::kMax},           {"sum", Aggregate::kSum},   {"count", Aggregate::kCount},
    {"increase", Aggregate::kIncrease}, {"rate", Aggregate::kRate}, {"stddev", Aggregate::kStddev},
    {"distinct", Aggregate::kDistinct},
};

// Of other rule languages, or of this one later.
constexpr std::string_view kFunctionsToCome[] = {
    "bottomk",  "stdvar", "delta",    "deriv",    "predict",
    "forecast", "absent", "anomaly",  "changes",  "irate",
    "idelta",   "abs",    "clamp",    "quantile", "histogram_quantile",
    "outlier",  "burn",   "burnrate", "not",      "zscore"};

const std::vector<std::string>& FunctionNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Function& f : kFunctions) all.emplace_back(f.name);
    all.emplace_back("ratio");
    all.emplace_back("shortfall");
    all.emplace_back("p95");
    all.emplace_back("topk");
    return all;
  }();
  return names;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// What an aggregate of something in `unit` is in; "" = not known.
std::string UnitOf(Aggregate aggregate, const std::string& unit) {
  return IsCount(aggregate) ? "1" : unit;
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

bool ExpressionParser::ReadSingle(Measure& measure) {
  const std::size_t begin = cursor_.offset();
  if (const auto* alias = TakeAlias(kNameEnds)) {
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
  const auto* alias = TakeAlias(kNameEnds);
  if (alias == nullptr && !AtSign() && !cursor_.PeekWord().empty() &&
      !IsKeyword(cursor_.PeekWord())) {
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
  measure.value().aggregate = Aggregate::kQuantile;
  measure.value().quantile = quantile;
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
  constexpr std::string_view kExpected = "a measure, such as p95(metric) or a name under metrics";
  if (AtSign()) return FailHere(fmt::format("found {}, expected {}", Found(), kExpected));
  if (name.empty()) return FailUnexpected(kExpected);
  const std::string first(cursor_.PeekWord());
  if (std::any_of(std::begin(kFunctions), std::end(kFunctions),
                  [&](const Function& f) { return f.name == first; })) {
    return Fail(begin, fmt::format("{0} is an aggregate, and labels stand behind what it is of: "
                                   "{0}(metric) by host",
                                   first));
  }
  if (const std::string hint = HintOfName(first); !hint.empty())
    return Fail(begin, fmt::format("unknown name \"{}\"{}", name, hint));
  std::vector<std::string> known;
  if (bindings_ != nullptr) {
    for (const auto& [alias, binding] : bindings_->names) {
      if (binding.measure.value().metric == name) {
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
  if (NearestWord(name, known).empty()) {
    std::vector<std::string> metrics;
    for (const auto& [alias, binding] : bindings_->names)
      metrics.push_back(binding.measure.value().metric);
    if (const std::string near = NearestWord(name, metrics); !near.empty()) {
      return Fail(begin, fmt::format("unknown name \"{}\"; did you mean the metric \"{}\", as in "
                                     "avg({}) or rate({})?",
                                     name, near, near, near));
    }
  }
  return Fail(begin, fmt::format("unknown name \"{}\"{}", name, Suggestion(name, known)));
}

bool ExpressionParser::ReadCall(std::string_view function, Measure& measure) {
  const std::size_t begin = cursor_.offset();
  cursor_.TakeWord();
  if (function == "ratio") return ReadPair(Measure::Form::kRatio, measure);
  if (function == "topk") {
    return Fail(begin, "topk stands around a whole measure: topk(5, avg(metric) by host) > 90%");
  }
  if (function == "shortfall") return ReadPair(Measure::Form::kShortfall, measure);
  const auto* known = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                   [&](const Function& f) { return f.name == function; });
  const auto quantile = ParseQuantileName(function);
  if (known == std::end(kFunctions) && !quantile) {
    if (std::find(std::begin(kFunctionsToCome), std::end(kFunctionsToCome), function) !=
        std::end(kFunctionsToCome)) {
      return Fail(begin,
                  fmt::format("{} cannot be run yet; {}", function,
                              function.ends_with("quantile")
                                  ? "a quantile is written p95(metric), of the metric itself"
                              : function == "absent"
                                  ? "that nothing comes is told by no_data: fire of the alarm"
                              : function == "irate"
                                  ? "what can: rate(metric)"
                                  : "what can: pNN, rate, increase, count, sum, avg, min, max, "
                                    "last, stddev, distinct, ratio, shortfall"));
    }
    if (function.size() > 1 && function[0] == 'p' && IsDigit(function[1])) {
      return Fail(begin, fmt::format("\"{}\" is not a quantile between p0 and p100, such as p95 or "
                                     "p99.9",
                                     function));
    }
    const std::string hint = HintOfAggregate(function);
    return Fail(begin, fmt::format("unknown aggregate \"{}\"{}", function,
                                   hint.empty() ? Suggestion(function, FunctionNames()) : hint));
  }
  cursor_.Take("(");
  if (!ReadSeries(measure)) return false;
  if (!quantile && known->aggregate == Aggregate::kDistinct) {
    measure.capacity = 0;  // is one of readings
    if (!ReadCounted(measure.value())) return false;
  }
  if (!cursor_.Take(")")) return FailUnexpected("\")\"");
  measure.value().aggregate = quantile ? Aggregate::kQuantile : known->aggregate;
  measure.value().quantile = quantile.value_or(0);
  measure.unit = UnitOf(measure.value().aggregate, measure.unit);
  if (measure.value().aggregate == Aggregate::kRate) measure.value().per = Duration(1000);
  while (true) {
    if (cursor_.PeekWord() == "per") {
      if (!ReadPer(measure)) return false;
    } else if (cursor_.PeekWord() == "of") {
      if (!ReadCapacity(measure)) return false;
    } else if (cursor_.PeekWord() == "in") {
      return ReadIn(measure);
    } else {
      return true;
    }
  }
}

// `ratio(part, whole)`, `shortfall(good, total)`.
bool ExpressionParser::ReadPair(Measure::Form form, Measure& measure) {
  cursor_.Take("(");
  Measure whole;
  if (!ReadSeries(measure)) return false;
  if (!cursor_.Take(",")) {
    return FailUnexpected(form == Measure::Form::kRatio
                              ? "\",\" and the metric to divide by"
                              : "\",\" and the metric of all events, as in shortfall(good, total)");
  }
  if (!ReadSeries(whole)) return false;
  if (!cursor_.Take(")")) return FailUnexpected("\")\"");
  measure.form = form;
  measure.operands.push_back(std::move(whole.value()));
  for (Operand& operand : measure.operands) operand.aggregate = Aggregate::kIncrease;
  measure.capacity = 0;
  measure.unit.clear();
  return true;
}

bool ExpressionParser::ReadPer(Measure& measure) {
  const std::size_t begin = cursor_.offset();
  cursor_.TakeWord();
  if (measure.value().aggregate != Aggregate::kRate) {
    return Fail(begin, "only a rate is per time; expected by, over or a comparison");
  }
  const std::size_t at = cursor_.offset();
  const auto per = ParsePer(cursor_.TakeWord());
  if (!per) return Fail(at, "expected a length of time after per: s, min, h, 5min");
  measure.value().per = *per;
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

// `in UNIT`: what the value is in; of a rate the whole of it, `in By/min`.
bool ExpressionParser::ReadIn(Measure& measure) {
  const std::size_t begin = cursor_.offset();
  cursor_.TakeWord();
  if (measure.capacity > 0) return Fail(begin, "a share of a capacity has no unit of its own");
  if (IsCount(measure.value().aggregate)) return Fail(begin, "a count has no unit");
  const std::size_t at = cursor_.offset();
  const std::string unit(cursor_.TakeWord());
  if (unit != "1" && !IsUnitWord(unit)) return Fail(at, "expected a unit after in, such as ms");
  if (bindings_ != nullptr) return FitIn(unit, at, measure);
  measure.unit = unit;
  return true;
}

bool ExpressionParser::FitIn(const std::string& unit, std::size_t at, Measure& measure) {
  const Operand& operand = measure.value();
  std::string base = unit;  // of the series
  if (operand.aggregate == Aggregate::kRate) {
    const std::string per = RateUnit("", operand.per);
    if (!unit.ends_with(per)) {
      return Fail(at, fmt::format("this is a rate in {0}, \"{1}\" does not fit; expected a unit "
                                  "that ends in {2}",
                                  RateUnit(measure.unit, operand.per), unit, per));
    }
    base.erase(base.size() - per.size());
    if (base.empty()) base = std::string("1");
  }
  const bool converts =
      operand.aggregate != Aggregate::kRate && operand.aggregate != Aggregate::kIncrease;
  const bool fits = measure.unit.empty() || measure.unit == base ||
                    (converts && ConvertUnit(1, measure.unit, base));
  if (!fits) {
    return Fail(at, fmt::format("{} is in {}, \"{}\" does not fit{}", operand.metric,
                                measure.unit == "1" ? "plain numbers" : measure.unit, unit,
                                converts ? "" : "; what is counted is not converted"));
  }
  if (measure.unit != base && !IsKnownUnit(base)) return FailUnknownUnit(at, base);
  measure.unit = base;
  return true;
}

}  // namespace liveops::plan
