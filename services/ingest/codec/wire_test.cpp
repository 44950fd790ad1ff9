// Requests and records as bytes: read and written by hand, and by libprotobuf.
#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "common/wire/quiet_protobuf_for_tests.h"
#include "common/wire/wire_scribe_for_tests.h"
#include "liveops/v1/metrics.pb.h"
#include "services/ingest/codec/record_writer.h"
#include "services/ingest/codec/request_reader.h"
#include "services/ingest/codec/request_reference_for_tests.h"

namespace liveops::ingest {
namespace {

using testing::Expected;
using testing::Outcome;
using wire::testing::Scribe;

constexpr std::int64_t kNow = 1'770'000'000'000;

using RequestDifferential = wire::testing::QuietProtobuf;

TEST_F(RequestDifferential, WhateverTheBytesItSaysWhatLibprotobufSays) {
  RequestReader reader;
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Scribe scribe(seed);
    std::string bytes = scribe.Record();  // its source and batch are a request's
    if (seed % 2 == 1) bytes = scribe.Damaged(bytes);
    const std::string expected = Expected(bytes);
    ASSERT_EQ(Outcome(reader, bytes), expected) << "seed " << seed;
    refused += expected == "refused";
  }
  EXPECT_GT(refused, 4000);
  EXPECT_LT(refused, 15'000);
}

TEST_F(RequestDifferential, EveryPrefixOfARequest) {
  RequestReader reader;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const std::string whole = Scribe(seed).Record();
    for (std::size_t size = 0; size <= std::min<std::size_t>(whole.size(), 2000); ++size) {
      const std::string bytes = whole.substr(0, size);
      ASSERT_EQ(Outcome(reader, bytes), Expected(bytes)) << seed << " cut to " << size;
    }
  }
}

using RecordWriter = wire::testing::QuietProtobuf;

// Of the random requests whatever admission takes.
TEST_F(RecordWriter, WritesWhatLibprotobufWrites) {
  RequestReader reader;
  int written = 0;
  std::size_t histograms = 0;
  std::size_t durations = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Scribe scribe(seed);
    const std::string request = scribe.Record();
    if (!reader.Read(request)) continue;
    admit::BatchInput in = reader.input();
    in.base_time_ms = kNow;
    // Histograms that fit together, since admission takes no others.
    std::vector<admit::HistogramInput> sound(in.histograms.begin(), in.histograms.end());
    const std::vector<double> bounds = {0, 2.5};
    const std::vector<std::uint64_t> buckets = {0, seed, 300};
    for (admit::HistogramInput& h : sound) {
      const bool one = scribe.chance.OneIn(3);
      h.bounds = one ? std::span<const double>() : bounds;
      h.bucket_counts = one ? std::span<const std::uint64_t>() : buckets;
      if (!one) h.count = seed + 300;
    }
    in.histograms = sound;
    admit::Limits limits;
    limits.future = limits.past = Duration(std::int64_t{1} << 50);
    const auto admission = admit::Admit(in, limits, RealFromMs(kNow), {});
    if (!admission.ok() || admission->batch.points() == 0) continue;
    const std::string bytes =
        EncodeBatch(reader.source(), in.service, Protocol::kNative, admission->batch);
    v1::ShardRecord record;
    ASSERT_TRUE(record.ParseFromString(bytes)) << seed;
    ASSERT_EQ(record.SerializeAsString(), bytes) << seed;
    ++written;
    histograms += admission->batch.histograms.size();
    durations += admission->batch.point_duration_ms.size();
  }
  EXPECT_GT(written, 1000);
  EXPECT_GT(histograms, 100u);
  EXPECT_GT(durations, 100u);
}

}  // namespace
}  // namespace liveops::ingest
