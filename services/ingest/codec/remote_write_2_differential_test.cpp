// The hand-written reader of remote write 2.0 against libprotobuf: whatever that takes is taken, if
// it also means something, and the same comes out.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <string>

#include "common/wire/quiet_protobuf_for_tests.h"
#include "common/wire/wire_scribe_for_tests.h"
#include "remote_write_2.pb.h"
#include "services/ingest/codec/native_histogram.h"
#include "services/ingest/codec/remote_write.h"

namespace liveops::ingest {
namespace {

namespace v2 = io::prometheus::write::v2;
using wire::testing::Chance;
using wire::testing::Scribe;

// --- random requests ---

class Random {
 public:
  explicit Random(std::uint64_t seed) : chance_(seed) {}

  v2::Request Request() {
    v2::Request request;
    request.add_symbols(chance_.OneIn(60) ? "not empty" : "");
    for (std::uint64_t n = chance_.Below(6); n > 0; --n)
      request.add_symbols(chance_.Pick({"__name__", "job", "größe", "\xff", "shop"}));
    for (std::uint64_t n = chance_.Below(4); n > 0; --n) Series(request);
    return request;
  }

 private:
  void Series(v2::Request& request) {
    v2::TimeSeries& series = *request.add_timeseries();
    const auto symbols = static_cast<std::uint64_t>(request.symbols_size());
    for (std::uint64_t n = 2 * chance_.Below(4) + (chance_.OneIn(60) ? 1 : 0); n > 0; --n) {
      series.add_labels_refs(static_cast<std::uint32_t>(
          chance_.OneIn(200) ? chance_.Number() : chance_.Below(symbols)));
    }
    for (std::uint64_t n = chance_.Below(4); n > 0; --n) {
      v2::Sample& sample = *series.add_samples();
      if (!chance_.OneIn(4)) sample.set_value(chance_.Double());
      if (!chance_.OneIn(9)) sample.set_timestamp(static_cast<std::int64_t>(chance_.Number()));
      if (chance_.OneIn(3)) sample.set_start_timestamp(static_cast<std::int64_t>(chance_.Number()));
    }
    for (std::uint64_t n = chance_.OneIn(3) ? chance_.Below(3) : 0; n > 0; --n)
      Histogram(*series.add_histograms());
    if (chance_.OneIn(8)) series.add_exemplars("exemplar");
    if (chance_.OneIn(2)) {
      series.mutable_metadata()->set_type(static_cast<v2::Metadata::MetricType>(chance_.Below(9)));
      series.mutable_metadata()->set_help_ref(static_cast<std::uint32_t>(chance_.Below(9)));
    }
    if (chance_.OneIn(4)) series.set_created_timestamp(static_cast<std::int64_t>(chance_.Number()));
  }

  void Histogram(v2::Histogram& h) {
    const bool floats = chance_.OneIn(2);
    if (floats) {
      h.set_count_float(chance_.Double());
    } else {
      h.set_count_int(chance_.Number());
    }
    h.set_sum(chance_.Double());
    h.set_schema(static_cast<std::int32_t>(chance_.Below(13)) - 4);
    h.set_timestamp(static_cast<std::int64_t>(chance_.Number()));
    h.set_start_timestamp(static_cast<std::int64_t>(chance_.Below(3)));
    h.set_reset_hint(static_cast<v2::Histogram::ResetHint>(chance_.Below(4)));
    for (std::uint64_t n = chance_.Below(3); n > 0; --n) {
      v2::BucketSpan& span = *h.add_positive_spans();
      span.set_offset(static_cast<std::int32_t>(chance_.Number()));
      span.set_length(static_cast<std::uint32_t>(chance_.Below(4)));
    }
    for (std::uint64_t n = chance_.Below(6); n > 0; --n) {
      if (floats) {
        h.add_positive_counts(chance_.Double());
      } else {
        h.add_positive_deltas(static_cast<std::int64_t>(chance_.Number()));
      }
    }
  }

  Chance chance_;
};

// --- what came out ---

std::string Bits(double v) { return fmt::format("{:x}", std::bit_cast<std::uint64_t>(v)); }

std::string Read(const std::string& bytes) {
  RemoteWriteRequest request;
  if (!request.Read2(bytes)) return "refused";
  std::string out;
  RemoteWriteRequest::Pairs pairs;
  for (const RemoteSeries& series : request.series()) {
    out += fmt::format("\nS {} {}", static_cast<int>(series.type), series.created_ms);
    if (!request.LabelsOf(series, pairs)) return "refused";
    for (const auto& [name, value] : pairs) out += fmt::format(" {}={}", name, value);
    for (std::uint32_t i = series.first_sample; i < series.first_sample + series.samples; ++i)
      out += fmt::format(" {}@{}-{}", Bits(request.values()[i]), request.times_ms()[i],
                         request.starts_ms()[i]);
    for (std::uint32_t i = 0; i < series.histograms; ++i) {
      NativeHistogram histogram;
      if (!histogram.Read(request.histograms()[series.first_histogram + i])) return "refused";
      (void)histogram.Lay();
      out += fmt::format(" H{}@{}-{} {}", Bits(histogram.sum()), histogram.time_ms(),
                         histogram.start_ms(), histogram.is_gauge());
    }
  }
  return out + fmt::format("\n{} exemplars", request.exemplars());
}

std::string Expected(const std::string& bytes) {
  v2::Request request;
  if (!request.ParseFromString(bytes)) return "refused";
  if (request.symbols_size() > 0 && !request.symbols(0).empty()) return "refused";
  std::string out;
  int exemplars = 0;
  for (const v2::TimeSeries& series : request.timeseries()) {
    const int type = series.metadata().type();
    out += fmt::format("\nS {} {}", type >= 0 && type <= 7 ? type : 0, series.created_timestamp());
    if (series.labels_refs_size() % 2 != 0) return "refused";
    for (int i = 0; i < series.labels_refs_size(); ++i) {
      const std::uint32_t ref = series.labels_refs(i);
      if (ref >= static_cast<std::uint32_t>(request.symbols_size())) return "refused";
      out += (i % 2 == 0 ? " " : "=") + request.symbols(static_cast<int>(ref));
    }
    for (const v2::Sample& sample : series.samples())
      out += fmt::format(" {}@{}-{}", Bits(sample.value()), sample.timestamp(),
                         sample.start_timestamp());
    for (const v2::Histogram& h : series.histograms())
      out += fmt::format(" H{}@{}-{} {}", Bits(h.sum()), h.timestamp(), h.start_timestamp(),
                         h.reset_hint() == v2::Histogram::GAUGE);
    exemplars += series.exemplars_size();
  }
  return out + fmt::format("\n{} exemplars", exemplars);
}

using RemoteWrite2Differential = wire::testing::QuietProtobuf;

TEST_F(RemoteWrite2Differential, WhatLibprotobufTakesIsTakenAndTheSame) {
  std::size_t taken = 0;
  std::size_t refused = 0;
  for (std::uint64_t seed = 0; seed < 30'000; ++seed) {
    std::string bytes = Random(seed).Request().SerializeAsString();
    if (seed % 7 == 0) bytes += Random(seed + 1'000'000).Request().SerializeAsString();
    ASSERT_EQ(Read(bytes), Expected(bytes)) << "seed " << seed;
    const std::string damaged = Scribe(seed).Damaged(bytes);
    const std::string expected = Expected(damaged);
    ASSERT_EQ(Read(damaged), expected) << "damaged, seed " << seed;
    ++(expected == "refused" ? refused : taken);
  }
  EXPECT_GT(taken, 3000u);
  EXPECT_GT(refused, 3000u);
}

TEST_F(RemoteWrite2Differential, EveryPrefixOfARequest) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const std::string whole = Random(seed).Request().SerializeAsString();
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      // On its own heap block, so that a read past the end is one that a sanitizer sees.
      const std::string bytes = whole.substr(0, size);
      ASSERT_EQ(Read(bytes), Expected(bytes)) << seed << " cut to " << size;
    }
  }
}

}  // namespace
}  // namespace liveops::ingest
