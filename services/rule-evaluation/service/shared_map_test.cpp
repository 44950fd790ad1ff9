#include "services/rule-evaluation/service/shared_map.h"

#include <gtest/gtest.h>

namespace liveops::evaluation {
namespace {

std::map<std::string, int> All(const SharedMap<int>::Frozen& frozen) {
  std::map<std::string, int> all;
  for (const auto& bucket : frozen) all.insert(bucket->begin(), bucket->end());
  return all;
}

TEST(SharedMap, WhatWasFrozenStaysAsItWas) {
  SharedMap<int> map;
  std::map<std::string, int> model;
  for (int i = 0; i < 2000; ++i) {
    map.Set("key" + std::to_string(i), i);
    model["key" + std::to_string(i)] = i;
  }
  const auto frozen = map.Freeze();
  for (int i = 0; i < 2000; i += 3) map.Erase("key" + std::to_string(i));
  map.Set("key1", -1);
  map.Set("new", 7);
  EXPECT_EQ(All(frozen), model);
  ASSERT_NE(map.Find("key1"), nullptr);
  EXPECT_EQ(*map.Find("key1"), -1);
  EXPECT_FALSE(map.contains("key0"));
  EXPECT_TRUE(map.contains("new"));
  EXPECT_EQ(All(map.Freeze()).size(), 2000u - 667 + 1);
}

TEST(SharedMap, AFreshOneIsEmpty) {
  SharedMap<int> map;
  EXPECT_EQ(map.Find("a"), nullptr);
  map.Erase("a");
  EXPECT_TRUE(map.Freeze().empty());
}

}  // namespace
}  // namespace liveops::evaluation
