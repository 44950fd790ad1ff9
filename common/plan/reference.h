#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// The reference page of the language, docs/language.md: one table of sections, whose examples are
// read by the same parser as plans. Pure.
namespace liveops::plan {

struct ReferenceExample {
  enum class Kind {
    kCondition,  // `when:`
    kClear,      // `clear:` of ReferenceCleared()
    kExpect,     // `expect:` of a remediation
    kExpected,   // `expect:` of an alarm
    kObjective,  // one item of `slos:`
    kRefused,    // a condition that is told to be none
  };
  Kind kind = Kind::kCondition;
  std::string_view text;
  std::string_view meaning;  // "" where the canonical form says it
};

struct ReferenceSection {
  std::string_view title;
  std::string_view grammar;  // lines of it, "" = none
  std::string_view text;     // Markdown
  std::vector<ReferenceExample> examples;
};

std::span<const ReferenceSection> ReferenceSections();

// `metrics:` that the examples use.
std::string_view ReferenceNames();
// The condition that the examples of `clear` belong to.
std::string_view ReferenceCleared();

// What the example stands for when everything is written out: its canonical form, of an objective
// the alarms that it makes, one a line, and of a refused one why it is refused. An error when the
// example is not what its kind says.
Result<std::string> ReferenceForm(const ReferenceExample& example);

// The whole page, Markdown.
std::string ReferencePage();

}  // namespace liveops::plan
