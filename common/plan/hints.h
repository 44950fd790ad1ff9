#pragma once

#include <string>
#include <string_view>

#include "common/plan/expression.h"

// What was probably meant by something that the language does not have: words of other rule
// languages, letters of another case, characters that look alike. Pure.
namespace liveops::plan {

// Of what stands where something else is expected: `; did you mean ">="?`; "" when nobody knows.
std::string HintAt(std::string_view rest);
// Of an aggregate or a name that nobody knows, likewise; `word` is its first word.
std::string HintOfAggregate(std::string_view word);
std::string HintOfName(std::string_view word);

// Of what is no length of time, without "; ".
std::string HintOfTime(std::string_view rest);
bool HasDecimalComma(std::string_view after_a_number);
// What is wrong with a part of a whole that is held to be more than 1, which it never is: `5xx > 1`
// of who means one per cent would be silent, and nobody would know. "" = nothing.
std::string ShareFault(const Condition& condition);

// The first full-width character (U+FF01 to U+FF5E, U+3000) at or after `from`, outside quotes and
// in no name that is bound: its place and what to write. An empty message = there is none.
ExpressionError WideCharacter(std::string_view text, std::size_t from, const Bindings& bindings);

}  // namespace liveops::plan
