// Requests and records as bytes: read and written by hand, and by libprotobuf.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <span>
#include <string>
#include <vector>

#include "common/wire/quiet_protobuf_for_tests.h"
#include "common/wire/wire_scribe_for_tests.h"
#include "liveops/v1/ingest.pb.h"
#include "liveops/v1/metrics.pb.h"
#include "services/ingest/codec/batch_views_for_tests.h"
#include "services/ingest/codec/record_writer.h"
#include "services/ingest/codec/request_reader.h"

namespace liveops::ingest {
namespace {

using wire::testing::Scribe;

constexpr std::int64_t kNow = 1'770'000'000'000;

template <typename Numbers>
std::string List(const Numbers& numbers) {
  std::string out = "[";
  for (const auto v : numbers) {
    if constexpr (std::is_same_v<std::decay_t<decltype(v)>, double>) {
      out += fmt::format("{:x} ", std::bit_cast<std::uint64_t>(v));
    } else {
      out += fmt::format("{} ", v);
    }
  }
  return out + "]";
}

std::string Dump(const wire::Source& source, const admit::BatchInput& in) {
  std::string out = fmt::format("{}|{}|{}|{}|{}\n", source.emitter, source.session, source.sequence,
                                in.service, in.base_time_ms);
  for (const std::string_view text : in.strings) out += fmt::format("{};", text);
  for (const admit::SeriesInput& s : in.series)
    out += fmt::format("{} {} {} {}\n", s.kind, s.metric, s.unit, s.labels);
  out += List(in.point_series) + List(in.point_time_delta_ms) + List(in.point_duration_ms) +
         List(in.point_value);
  for (const admit::HistogramInput& h : in.histograms) {
    out += fmt::format("{} {} {} {} {:x} {}{}\n", h.series, h.time_delta_ms, h.duration_ms, h.count,
                       std::bit_cast<std::uint64_t>(h.sum), List(h.bounds), List(h.bucket_counts));
  }
  return out;
}

std::string Expected(const std::string& bytes) {
  v1::WriteRequest request;
  if (!request.ParseFromString(bytes)) return "refused";
  const BatchViews views(request.batch());
  const v1::Source& source = request.source();
  return Dump({source.emitter(), source.session(), source.sequence()}, views.input());
}

std::string Outcome(RequestReader& reader, const std::string& bytes) {
  return reader.Read(bytes) ? Dump(reader.source(), reader.input()) : "refused";
}

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
