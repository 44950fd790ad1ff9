// What the documents show of plans is what this build reads.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/text.h"
#include "common/plan/parse.h"
#include "common/plan/plan_reader.h"
#include "common/plan/reference.h"

namespace liveops::plan {
namespace {

namespace fs = std::filesystem;

struct Page {
  std::string name;
  std::string text;
};

std::vector<Page> Pages() {
  const fs::path root(LIVEOPS_SOURCE_DIR);
  std::vector<fs::path> paths = {root / "README.md"};
  for (const auto& entry : fs::recursive_directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Page> pages;
  for (const fs::path& path : paths) {
    std::ifstream in(path, std::ios::binary);
    pages.push_back({path.lexically_relative(root).string(),
                     {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()}});
  }
  return pages;
}

// A key at the left edge.
bool HasKey(std::string_view yaml, std::string_view key) {
  const auto lines = Split(yaml, '\n');
  return std::any_of(lines.begin(), lines.end(),
                     [&](std::string_view line) { return line.starts_with(key); });
}

// A plan, or a part of one, and no other file's: those have other keys.
bool IsOfAPlan(std::string_view yaml) {
  const auto has = [&](std::string_view key) { return HasKey(yaml, key); };
  const std::vector<std::string_view> keys = {
      "alarms:",   "slos:",     "remediations:",   "owners:", "logs:",
      "response:", "lateness:", "foreign_alerts:", "spread:"};
  return std::any_of(keys.begin(), keys.end(), has);
}

// With the keys in front that it leaves out; `lines` of them.
std::string Whole(std::string_view yaml, int& lines) {
  std::string front;
  if (!HasKey(yaml, "service:")) front += "service: shop\n";
  if (!HasKey(yaml, "owners:"))
    front += "owners: {on-call: {slack: \"#oncall\", pagerduty: oncall}}\n";
  if (!HasKey(yaml, "metrics:")) front += std::string(ReferenceNames());
  lines = static_cast<int>(std::count(front.begin(), front.end(), '\n'));
  return front + std::string(yaml);
}

TEST(Docs, EveryPlanInThemIsAGoodOne) {
  int plans = 0;
  for (const Page& page : Pages()) {
    constexpr std::string_view kOpens = "```yaml\n";
    for (std::size_t at = 0; (at = page.text.find(kOpens, at)) != std::string::npos;) {
      at += kOpens.size();
      const std::string_view yaml =
          std::string_view(page.text).substr(at, page.text.find("\n```", at) + 1 - at);
      if (!IsOfAPlan(yaml)) continue;
      ++plans;
      int front = 0;
      const auto first =
          std::count(page.text.begin(), page.text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
      for (const Problem& problem : Parse(Whole(yaml, front)).problems) {
        ADD_FAILURE() << page.name << ":" << first + problem.line - front << ":" << problem.column
                      << ": " << problem.message;
      }
    }
  }
  EXPECT_GE(plans, 12);
}

// `p95(m) > 500ms` in a sentence. Monitoring is about another language's.
TEST(Docs, EveryConditionInASentenceIsAGoodOne) {
  Bindings bindings;
  {
    ProblemList problems(ReferenceNames());
    bindings = ReadBindings(*ReadYaml(ReferenceNames(), problems).Find("metrics"), problems);
  }
  int conditions = 0;
  for (const Page& page : Pages()) {
    if (page.name == "docs/monitoring.md" || page.name == "docs/language.md") continue;
    bool inside = false;  // a block
    for (const std::string_view line : Split(page.text, '\n')) {
      if (line.starts_with("```")) inside = !inside;
      if (inside) continue;
      const auto parts = Split(line, '`');
      for (std::size_t i = 1; i + 1 < parts.size(); i += 2) {
        const std::string_view code = parts[i];
        const bool compares =
            code.find(" > ") != std::string::npos || code.find(" < ") != std::string::npos;
        // A path, a key with its value, and what stands for anything, are none.
        if (!compares || code.find_first_of("[:") != std::string::npos) continue;
        ++conditions;
        const auto parsed = ParseExpression(code, &bindings);
        EXPECT_TRUE(parsed.value) << page.name << ": `" << code << "`: " << parsed.error.message;
      }
    }
  }
  EXPECT_GE(conditions, 6);
}

}  // namespace
}  // namespace liveops::plan
