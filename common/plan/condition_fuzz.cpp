// The language of conditions: what is taken has a canonical form that says the same.
#include <algorithm>

#include "common/plan/bindings_for_test.h"
#include "common/plan/expression.h"
#include "common/plan/parse.h"
#include "common/plan/reference.h"
#include "common/testing/fuzz.h"

namespace liveops::fuzz {
namespace {

using plan::ReferenceExample;

template <typename T>
void CheckError(const plan::Parsed<T>& parsed, std::string_view text) {
  Demand(parsed.error.offset <= text.size(), "an error lies in the text");
  Demand(!parsed.error.message.empty(), "an error says what is wrong");
}

void RunCondition(std::string_view text, const plan::Bindings* bindings, std::string_view more) {
  const auto parsed = plan::ParseExpression(text, bindings);
  if (!parsed.value) return CheckError(parsed, text);
  const plan::Condition& condition = *parsed.value;
  const std::string canonical = plan::CanonicalText(condition);
  const auto again = plan::ParseCondition(canonical);
  Demand(again.ok(), "the canonical form is a condition: " + canonical);
  DemandSame(plan::CanonicalText(*again), canonical);
  Demand(*again == condition, "the canonical form says the same: " + canonical);
  if (const auto clear = plan::ParseClear(more, condition); clear.value) {
    const std::string form = plan::CanonicalText(*clear.value, condition);
    const auto read = plan::ParseClear(form, condition);
    Demand(read.value && *read.value == *clear.value, "a clear reads back: " + form);
  } else {
    CheckError(clear, more);
  }
  if (const auto level = plan::ParseLevel(more, condition); level.value) {
    const std::string form = plan::CanonicalText(*level.value, condition);
    const auto read = plan::ParseLevel(form, condition);
    Demand(read.value && *read.value == *level.value, "a level reads back: " + form);
  } else {
    CheckError(level, more);
  }
}

void RunExpect(std::string_view text, const plan::Bindings* bindings) {
  const auto expect = plan::ParseExpect(text, bindings);
  if (!expect.value) return CheckError(expect, text);
  const std::string form = plan::CanonicalText(*expect.value);
  const auto read = plan::ParseExpect(form, nullptr);
  Demand(read.value && *read.value == *expect.value, "an expectation reads back: " + form);
}

void RunSeries(std::string_view text, const plan::Bindings* bindings) {
  if (const auto good = plan::ParseGoodEvents(text, bindings); !good.value) CheckError(good, text);
  const auto series = plan::ParseSeries(text, bindings);
  if (!series.value) return CheckError(series, text);
  const std::string form = plan::CanonicalSeries(*series.value);
  const auto read = plan::ParseSeries(form, nullptr);
  Demand(read.value.has_value(), "a series reads back: " + form);
  DemandSame(plan::CanonicalSeries(*read.value), form);
}

}  // namespace

// A condition; after a line break a clear or a level of it.
std::vector<std::string> Seeds() {
  std::vector<std::string> seeds = {"latency > 300ms for 5min\n< 250ms for 2min",
                                    "latency > 300ms for 5min\n> 500ms for 1min",
                                    "http_request_count{code!=\"5\\\"00\"}", "a_count - b_count"};
  for (const plan::ReferenceSection& section : plan::ReferenceSections()) {
    for (const ReferenceExample& example : section.examples) {
      seeds.emplace_back(example.text);
      const auto form = plan::ReferenceForm(example);
      if (form.ok() && example.kind == ReferenceExample::Kind::kCondition) seeds.push_back(*form);
    }
  }
  for (const auto& [name, binding] : plan::Seed().names)
    seeds.push_back(name + " > 1\n< 0.5 for 1min");
  return seeds;
}

std::vector<std::string> Words() {
  return {" and ",    " or ",
          " unless ", " by ",
          " over ",   " for ",
          " of ",     " in ",
          " per ",    " compared to ",
          " ago",     " within ",
          "ratio(",   "shortfall(",
          "rate(",    "increase(",
          "count(",   "sum(",
          "avg(",     "min(",
          "max(",     "last(",
          "stddev(",  "p95(",
          "p99.9(",   "{a=\"b\"}",
          "{a!='b'}", "latency",
          "CPU",      "5xx",
          "req/min",  "DB connections",
          "m",        "http_request_count",
          "1min",     "90s",
          "1d",       "3 of 5min",
          "500ms",    "1%",
          "10/min",   "kB",
          "By",       ">=",
          "<=",       "1e308",
          "0.000001", "jobs"};
}

void Run(std::string_view input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string text(input.substr(0, end));
  const std::string more(input.substr(std::min(end + 1, input.size())));
  for (const plan::Bindings* bindings :
       {&plan::Seed(), static_cast<const plan::Bindings*>(nullptr)}) {
    RunCondition(text, bindings, more);
    RunExpect(text, bindings);
    RunSeries(text, bindings);
  }
  (void)plan::ParsePer(text);
  (void)plan::ParseQuantileName(text);
  (void)plan::AliasFault(text);
}

}  // namespace liveops::fuzz
