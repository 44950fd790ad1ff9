#include "common/base/base64.h"

#include <gtest/gtest.h>

namespace liveops {
namespace {

// RFC 4648, 10.
TEST(Base64, Reads) {
  EXPECT_EQ(ReadBase64(""), "");
  EXPECT_EQ(ReadBase64("Zg=="), "f");
  EXPECT_EQ(ReadBase64("Zm8="), "fo");
  EXPECT_EQ(ReadBase64("Zm9v"), "foo");
  EXPECT_EQ(ReadBase64("Zm9vYmFy"), "foobar");
  EXPECT_EQ(ReadBase64("Zm8"), "fo");
  EXPECT_EQ(ReadBase64("/+8="), "\xff\xef");
}

TEST(Base64, WhatIsNone) {
  for (const char* text : {"Z", "Zg=", "Zm9v=", "Zm9vY", "Zm 9v", "Zm9-", "=", "====", "Zg==Zg=="})
    EXPECT_EQ(ReadBase64(text), std::nullopt) << text;
}

}  // namespace
}  // namespace liveops
