// The hand-written reader of remote write against libprotobuf: whatever that takes is taken, and
// the same comes out.
#include <gtest/gtest.h>

#include <string>

#include "common/wire/quiet_protobuf_for_tests.h"
#include "common/wire/wire_scribe_for_tests.h"
#include "services/ingest/codec/remote_write_reference_for_tests.h"

namespace liveops::ingest {
namespace {

using testing::remote_write_1::Expected;
using testing::remote_write_1::Prometheus;
using testing::remote_write_1::Read;
using wire::testing::Scribe;

using RemoteWriteDifferential = wire::testing::QuietProtobuf;

TEST_F(RemoteWriteDifferential, WhatLibprotobufTakesIsTakenAndTheSame) {
  std::size_t taken = 0;
  std::size_t refused = 0;
  for (std::uint64_t seed = 0; seed < 30'000; ++seed) {
    std::string bytes = Prometheus(seed).Request().SerializeAsString();
    // A second message behind the first adds to it.
    if (seed % 7 == 0) bytes += Prometheus(seed + 1'000'000).Request().SerializeAsString();
    ASSERT_EQ(Read(bytes), Expected(bytes)) << "seed " << seed;
    const std::string damaged = Scribe(seed).Damaged(bytes);
    const std::string expected = Expected(damaged);
    ASSERT_EQ(Read(damaged), expected) << "damaged, seed " << seed;
    ++(expected == "refused" ? refused : taken);
  }
  EXPECT_GT(taken, 3000u);
  EXPECT_GT(refused, 3000u);
}

TEST_F(RemoteWriteDifferential, EveryPrefixOfARequest) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const std::string whole = Prometheus(seed).Request().SerializeAsString();
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      // On its own heap block, so that a read past the end is one that a sanitizer sees.
      const std::string bytes = whole.substr(0, size);
      ASSERT_EQ(Read(bytes), Expected(bytes)) << seed << " cut to " << size;
    }
  }
}

}  // namespace
}  // namespace liveops::ingest
