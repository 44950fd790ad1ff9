#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/plan/model.h"

// The language of conditions:
//
//   condition = logic [hold]
//   logic     = chain {"or" chain}
//   chain     = item {("and" | "unless") item}
//   item      = test | "(" logic ")"
//   test      = measure ["by" label {"," label}] ["over" W] op number[unit]
//               ["compared" "to" D "ago"]
//             | "topk" "(" K "," measure "by" label {"," label} ["over" W] ")" ["over" W] op
//             number[unit] | ("fewer" "than" | "at" "least") N ["of" series] "by" label ["over" W]
//   measure   = call ["of" capacity] | ("ratio" | "shortfall") "(" series "," series ")" | alias
//             | pNN [distribution alias] | formula
//   formula   = product {("+" | "-") product}
//   product   = factor {("*" | "/") factor}
//   factor    = number | call | alias of a call | "(" formula ")"
//   call      = aggregate "(" series ")" ["per" time] ["in" unit] | "distinct" "(" series "," label
//   ")" aggregate = pNN | rate | increase | count | sum | avg | min | max | last | stddev series =
//   (metric | alias of one) ["{" label ("=" | "!=") "\"value\"" {"," …} "}"] op        = ">" | ">="
//   | "<" | "<=" hold      = ["for"] D | "for" M "of" N ("min" | "h")
//
// `and` and `unless` bind more tightly than `or`; chains are read from the left. docs/language.md
// is its reference page (plan/reference.h).
//
// Pure; nothing here throws.
namespace liveops::plan {

// What a name under `metrics:` stands for.
struct Binding {
  enum class Kind {
    kMetric,        // one metric; bare it is `last`
    kDistribution,  // one metric that needs a quantile: `p95 latency`
    kMeasure,       // a whole measure: `5xx`, `req/min`
  };
  Kind kind = Kind::kMetric;
  Measure measure;  // unit "" = not declared
};

struct Bindings {
  std::map<std::string, Binding, std::less<>> names;
  // Named in the plan, but told as a problem there: what reads one fails without a message of its
  // own.
  std::set<std::string, std::less<>> broken;
  std::string default_distribution;  // the alias that a bare `p95` means, "" = none
  std::string service;               // the plan's own: naming it says nothing
};

struct ExpressionError {
  std::size_t offset = 0;  // in bytes of the text
  std::string message;
};

template <typename T>
struct Parsed {
  std::optional<T> value;
  ExpressionError
      error;  // set when there is no value; its message is empty when the cause was told elsewhere
};

// `5xx > 1% for 3min`. Without bindings the text is canonical: no alias is known, any unit is taken
// as it is.
// A test that says no window looks at `window`.
Parsed<Condition> ParseExpression(std::string_view text, const Bindings* bindings,
                                  Duration window = Test().window);

// `< 300ms for 2min`, in the unit of `condition`, on its recovering side.
Parsed<Clear> ParseClear(std::string_view text, const Condition& condition);

// `> 500ms for 1min`, in the unit of `condition` and its direction; without `for`, with its hold.
Parsed<Level> ParseLevel(std::string_view text, const Condition& condition);

// `at least 3 by pod for 2min`: the condition that is true when it fails.
Parsed<Condition> ParseExpectation(std::string_view text, const Bindings* bindings);

// `5xx < 1% within 5min`.
Parsed<Expect> ParseExpect(std::string_view text, const Bindings* bindings);

// `http_request_count{code="500"}`, or with bindings the name of one; the aggregate is left as it
// is by default.
Parsed<Operand> ParseSeries(std::string_view text, const Bindings* bindings = nullptr);

// The good events of an objective: a series, or all events but the bad ones.
struct GoodEvents {
  Operand series;
  std::optional<Operand> without;
  std::size_t series_offset = 0;  // in the text
};

// Why an objective cannot count these, which another service has.
std::string ForeignEventsFault(const Operand& operand);

// `http_ok_count`, or `http_request_count - http_5xx_count`.
Parsed<GoodEvents> ParseGoodEvents(std::string_view text, const Bindings* bindings);

// `min`, `s`, `1min`, `5min`: after `per`.
std::optional<Duration> ParsePer(std::string_view word);

// 0.999 for "p99.9"; nothing for another word.
std::optional<double> ParseQuantileName(std::string_view word);

// Why `name` cannot be an alias, "" when it can.
std::string AliasFault(std::string_view name);

}  // namespace liveops::plan
