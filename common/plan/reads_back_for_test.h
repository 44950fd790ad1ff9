#pragma once

#include <gtest/gtest.h>

#include <string>

#include "common/plan/bindings_for_test.h"
#include "common/plan/parse.h"

namespace liveops::plan {

// The text has this canonical form, which reads as the same condition and is its own.
inline void ExpectReadsBack(const std::string& text, const std::string& canonical) {
  EXPECT_EQ(Canonical(text), canonical);
  const auto read = ParseCondition(canonical);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(CanonicalText(*read), canonical);
  EXPECT_EQ(*read, *ParseExpression(text, &Seed()).value) << text;
}

}  // namespace liveops::plan
