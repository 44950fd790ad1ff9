#include "common/plan/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "common/plan/parse.h"

namespace liveops::plan {
namespace {

constexpr const char* kPath = LIVEOPS_SOURCE_DIR "/docs/language.md";

TEST(Reference, EveryExampleIsWhatItSaysAndReadsBack) {
  int examples = 0;
  for (const ReferenceSection& section : ReferenceSections()) {
    for (const ReferenceExample& example : section.examples) {
      ++examples;
      const auto form = ReferenceForm(example);
      ASSERT_TRUE(form.ok()) << section.title << ": " << form.error().message;
      if (example.kind != ReferenceExample::Kind::kCondition) continue;
      const auto read = ParseCondition(*form);
      ASSERT_TRUE(read.ok()) << *form << ": " << read.error().message;
      EXPECT_EQ(CanonicalText(*read), *form);
    }
  }
  EXPECT_GT(examples, 50);
}

TEST(Reference, AWrongExampleIsToldWithItsPlace) {
  using Kind = ReferenceExample::Kind;
  EXPECT_EQ(ReferenceForm({Kind::kCondition, "p95 > 5", ""}).error().message,
            "p95 > 5: column 7: expected a unit: this is in ms, write 5ms");
  EXPECT_EQ(ReferenceForm({Kind::kRefused, "p95 > 5ms", ""}).error().message,
            "p95 > 5ms: is not refused");
  EXPECT_FALSE(ReferenceForm({Kind::kClear, "> 5ms", ""}).ok());
  EXPECT_FALSE(ReferenceForm({Kind::kExpect, "p95 > 5ms", ""}).ok());
  EXPECT_FALSE(ReferenceForm({Kind::kObjective, "name: a", ""}).ok());
}

// UPDATE_DOCS=1 writes it.
TEST(Reference, PageIsTheOneInDocs) {
  const std::string page = ReferencePage();
  if (std::getenv("UPDATE_DOCS") != nullptr) {
    std::ofstream(kPath) << page;
    return;
  }
  std::ifstream in(kPath);
  std::stringstream file;
  file << in.rdbuf();
  EXPECT_TRUE(file.str() == page)
      << "docs/language.md is not what common/plan/reference_sections.cpp says. Write it anew:\n"
         "  UPDATE_DOCS=1 build/release/bin/liveops_plan_test --gtest_filter='Reference.*'";
}

}  // namespace
}  // namespace liveops::plan
