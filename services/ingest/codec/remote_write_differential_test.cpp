// The hand-written reader of remote write against libprotobuf: whatever that takes is taken, and
// the same comes out.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <string>

#include "common/wire/quiet_protobuf_for_tests.h"
#include "common/wire/wire_scribe_for_tests.h"
#include "remote_write_1.pb.h"
#include "services/ingest/codec/remote_write.h"

namespace liveops::ingest {
namespace {

using wire::testing::Chance;
using wire::testing::Scribe;

// --- random requests ---

class Prometheus {
 public:
  explicit Prometheus(std::uint64_t seed) : chance_(seed) {}

  prometheus::WriteRequest Request() {
    prometheus::WriteRequest request;
    for (std::uint64_t n = chance_.Below(4); n > 0; --n) Series(*request.add_timeseries());
    for (std::uint64_t n = chance_.OneIn(3) ? chance_.Below(3) : 0; n > 0; --n) {
      auto& metadata = *request.add_metadata();
      metadata.set_type(static_cast<prometheus::MetricMetadata::MetricType>(chance_.Below(9)));
      metadata.set_metric_family_name(chance_.Pick({"", "cpu", "http_requests"}));
      if (chance_.OneIn(2)) metadata.set_help("what it is");
    }
    return request;
  }

 private:
  void Series(prometheus::TimeSeries& series) {
    for (std::uint64_t n = chance_.Below(5); n > 0; --n) {
      auto& label = *series.add_labels();
      label.set_name(chance_.Pick({"", "__name__", "job", "größe", "\xff"}));
      label.set_value(
          chance_.Pick({"", "a", "shop", "\xc3\x28", "0123456789012345678901234567890"}));
    }
    for (std::uint64_t n = chance_.Below(4); n > 0; --n) {
      auto& sample = *series.add_samples();
      if (!chance_.OneIn(4)) sample.set_value(chance_.Double());
      if (!chance_.OneIn(9)) sample.set_timestamp(static_cast<std::int64_t>(chance_.Number()));
    }
    if (chance_.OneIn(8)) series.add_exemplars("exemplar");
    if (chance_.OneIn(8)) series.add_histograms("histogram");
  }

  Chance chance_;
};

// --- what came out ---

struct Dump {
  std::string text;

  void Sample(double value, std::int64_t time_ms) {
    text += fmt::format(" {:x}@{}", std::bit_cast<std::uint64_t>(value), time_ms);
  }
  void Label(std::string_view name, std::string_view value) {
    text += fmt::format(" {}={}", name, value);
  }
  void Metadata(std::string_view family, int type) {
    text += fmt::format("\nM {} {}", family, type >= 0 && type <= 7 ? type : 0);
  }
};

std::string Read(const std::string& bytes) {
  RemoteWriteRequest request;
  if (!request.Read1(bytes)) return "refused";
  Dump out;
  RemoteWriteRequest::Pairs pairs;
  for (const RemoteSeries& series : request.series()) {
    out.text += "\nS";
    if (!request.LabelsOf(series, pairs)) return "refused";
    for (const auto& [name, value] : pairs) out.Label(name, value);
    for (std::uint32_t i = series.first_sample; i < series.first_sample + series.samples; ++i)
      out.Sample(request.values()[i], request.times_ms()[i]);
    for (std::uint32_t i = 0; i < series.histograms; ++i)
      out.text += fmt::format(" H{}", request.histograms()[series.first_histogram + i]);
  }
  for (const RemoteMetadata& metadata : request.metadata())
    out.Metadata(metadata.metric, static_cast<int>(metadata.type));
  return out.text + fmt::format("\n{} exemplars", request.exemplars());
}

std::string Expected(const std::string& bytes) {
  prometheus::WriteRequest request;
  if (!request.ParseFromString(bytes)) return "refused";
  Dump out;
  int exemplars = 0;
  for (const auto& series : request.timeseries()) {
    out.text += "\nS";
    for (const auto& label : series.labels()) out.Label(label.name(), label.value());
    for (const auto& sample : series.samples()) out.Sample(sample.value(), sample.timestamp());
    for (const auto& histogram : series.histograms()) out.text += " H" + histogram;
    exemplars += series.exemplars_size();
  }
  for (const auto& metadata : request.metadata())
    out.Metadata(metadata.metric_family_name(), metadata.type());
  return out.text + fmt::format("\n{} exemplars", exemplars);
}

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
