// The hand-written reader of OTLP against libprotobuf: whatever that takes is taken, and the same
// points come out.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "common/wire/quiet_protobuf_for_tests.h"
#include "common/wire/wire_scribe_for_tests.h"
#include "services/ingest/codec/otlp_exporter_for_tests.h"
#include "services/ingest/codec/otlp_reference_for_tests.h"

namespace liveops::ingest {
namespace {

using testing::Exporter;
using testing::Read;
using testing::Reference;
using wire::testing::Scribe;

using OtlpDifferential = wire::testing::QuietProtobuf;

TEST_F(OtlpDifferential, WhatLibprotobufTakesIsTakenAndTheSame) {
  std::size_t lines = 0;
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    std::string bytes = Exporter(seed).Request().SerializeAsString();
    // A second message behind the first adds to it.
    if (seed % 7 == 0) bytes += Exporter(seed + 1'000'000).Request().SerializeAsString();
    const std::string expected = Reference::Read(bytes);
    ASSERT_EQ(Read(bytes), expected) << "seed " << seed;
    lines += static_cast<std::size_t>(std::count(expected.begin(), expected.end(), '\n'));
    const std::string damaged = Scribe(seed).Damaged(bytes);
    const std::string of_damaged = Reference::Read(damaged);
    if (of_damaged == "refused") {
      ++refused;
      (void)Read(damaged);  // what it does not look into it may take
    } else {
      ASSERT_EQ(Read(damaged), of_damaged) << "damaged, seed " << seed;
    }
  }
  EXPECT_GT(lines, 30'000u);
  EXPECT_GT(refused, 3000);
}

TEST_F(OtlpDifferential, EveryPrefixOfARequest) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::string whole = Exporter(seed).Request().SerializeAsString();
    for (std::size_t size = 0; size <= std::min<std::size_t>(whole.size(), 2000); ++size) {
      // On its own heap block, so that a read past the end is one that a sanitizer sees.
      const std::string bytes = whole.substr(0, size);
      const std::string expected = Reference::Read(bytes);
      if (expected == "refused") {
        (void)Read(bytes);
      } else {
        ASSERT_EQ(Read(bytes), expected) << seed << " cut to " << size;
      }
    }
  }
}

}  // namespace
}  // namespace liveops::ingest
