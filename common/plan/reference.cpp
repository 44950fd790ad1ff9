#include "common/plan/reference.h"

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/plan/parse.h"
#include "common/plan/plan_reader.h"

namespace liveops::plan {
namespace {

using Kind = ReferenceExample::Kind;

constexpr std::string_view kTop = R"(# The language of conditions

<!-- Made from the table in common/plan/reference_sections.cpp: edit it there, then
     UPDATE_DOCS=1 build/release/bin/liveops_plan_test --gtest_filter='Reference.*' -->

What stands after `when:`, `clear:` and `expect:` in a plan, and under `slos:`. The keys of the
plan file around them are in [plan-reference.md](plan-reference.md). Every example on this page is
read by the plan's own parser, and what is printed beside it is what the parser made of it: the
*canonical form*, in which names are replaced by what they stand for and everything left out is
written. Two conditions with the same canonical form are the same condition: an edit that keeps it
keeps the alarm's state.
)";

const Bindings& Names() {
  static const Bindings bindings = [] {
    ProblemList problems(ReferenceNames());
    const YamlNode root = ReadYaml(ReferenceNames(), problems);
    const YamlNode* metrics = root.Find("metrics");
    return metrics == nullptr ? Bindings{} : ReadBindings(*metrics, problems);
  }();
  return bindings;
}

template <typename T>
Error ErrorOf(const ReferenceExample& example, const Parsed<T>& parsed) {
  return InvalidError(fmt::format("{}: column {}: {}", example.text, parsed.error.offset + 1,
                                  parsed.error.message));
}

// A plan of nothing but the objective.
Result<std::string> ObjectiveForm(const ReferenceExample& example) {
  std::string yaml = fmt::format(
      "service: shop\nowners: {{on-call: {{slack: \"#oncall\"}}}}\n{}slos:\n", ReferenceNames());
  const char* indent = "  - ";
  for (const std::string_view line : Split(example.text, '\n')) {
    yaml += fmt::format("{}{}\n", indent, line);
    indent = "    ";
  }
  const ParseResult result = Parse(yaml);
  if (!result.ok()) return InvalidError(result.problems.front().ToString(example.text));
  std::string out;
  for (const Alarm& alarm : result.plan.alarms) {
    out += fmt::format("{}{} ({}): {}", out.empty() ? "" : "\n", alarm.name,
                       alarm.page ? SeverityName(alarm.severity) : "shadow",
                       CanonicalText(alarm.when));
  }
  return out;
}

// A cell of a table: one line, in which a bar would begin the next cell.
std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

// The form, or the error in its place, which a test then finds.
std::string FormOf(const ReferenceExample& example) {
  const auto form = ReferenceForm(example);
  return form.ok() ? *form : form.error().message;
}

void AddTable(const std::vector<ReferenceExample>& examples, std::string& page) {
  bool meanings = false;
  for (const ReferenceExample& example : examples) meanings |= !example.meaning.empty();
  const bool refused = !examples.empty() && examples.front().kind == Kind::kRefused;
  page += fmt::format("\n| written | {} |{}\n|---|---|{}\n", refused ? "told" : "canonical form",
                      meanings ? " means |" : "", meanings ? "---|" : "");
  for (const ReferenceExample& example : examples) {
    const std::string form = Cell(FormOf(example));
    page += fmt::format("| `{}` | {} |", Cell(example.text), refused ? form : "`" + form + "`");
    if (meanings) page += fmt::format(" {} |", Cell(example.meaning));
    page += "\n";
  }
}

// Objectives are read as they stand in the file.
void AddObjective(const ReferenceExample& example, std::string& page) {
  page += fmt::format("\n{}:\n\n```\nslos:\n", example.meaning);
  const char* indent = "  - ";
  for (const std::string_view line : Split(example.text, '\n')) {
    page += fmt::format("{}{}\n", indent, line);
    indent = "    ";
  }
  page += fmt::format("```\n\nmakes\n\n```\n{}\n```\n", FormOf(example));
}

}  // namespace

Result<std::string> ReferenceForm(const ReferenceExample& example) {
  switch (example.kind) {
    case Kind::kCondition: {
      const auto parsed = ParseExpression(example.text, &Names());
      if (!parsed.value) return ErrorOf(example, parsed);
      return CanonicalText(*parsed.value);
    }
    case Kind::kClear: {
      const auto condition = ParseExpression(ReferenceCleared(), &Names());
      if (!condition.value) return ErrorOf(example, condition);
      const auto parsed = ParseClear(example.text, *condition.value);
      if (!parsed.value) return ErrorOf(example, parsed);
      return CanonicalText(*parsed.value, *condition.value);
    }
    case Kind::kExpect: {
      const auto parsed = ParseExpect(example.text, &Names());
      if (!parsed.value) return ErrorOf(example, parsed);
      return CanonicalText(*parsed.value);
    }
    case Kind::kExpected: {
      const auto parsed = ParseExpectation(example.text, &Names());
      if (!parsed.value) return ErrorOf(example, parsed);
      return CanonicalText(*parsed.value);
    }
    case Kind::kObjective:
      return ObjectiveForm(example);
    case Kind::kRefused: {
      const auto parsed = ParseExpression(example.text, &Names());
      if (parsed.value) return InvalidError(fmt::format("{}: is not refused", example.text));
      return parsed.error.message;
    }
  }
  return InternalError("unknown kind of example");
}

std::string ReferencePage() {
  std::string page(kTop);
  page += fmt::format("\nThe examples use these names:\n\n```\n{}```\n", ReferenceNames());
  for (const ReferenceSection& section : ReferenceSections()) {
    page += fmt::format("\n## {}\n", section.title);
    if (!section.grammar.empty()) page += fmt::format("\n```\n{}\n```\n", section.grammar);
    page += fmt::format("\n{}\n", section.text);
    if (section.examples.empty()) continue;
    if (section.examples.front().kind != Kind::kObjective) {
      AddTable(section.examples, page);
      continue;
    }
    for (const ReferenceExample& example : section.examples) AddObjective(example, page);
  }
  return page;
}

}  // namespace liveops::plan
