#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/wire/text_for_tests.h"
#include "common/wire/wire_scribe_for_tests.h"
#include "remote_write_2.pb.h"
#include "services/ingest/codec/native_histogram.h"
#include "services/ingest/codec/remote_write.h"

// For tests: random requests of remote write 2.0, and what the hand-written reader and libprotobuf
// make of one, as text.
namespace liveops::ingest::testing::remote_write_2 {

namespace v2 = io::prometheus::write::v2;
using wire::testing::Bits;
using wire::testing::Chance;

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

inline std::string Read(std::string_view bytes) {
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
  return out + fmt::format("\n{} exemplars", request.exemplars().size());
}

inline std::string Expected(std::string_view bytes) {
  v2::Request request;
  if (!request.ParseFromString(std::string(bytes))) return "refused";
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

}  // namespace liveops::ingest::testing::remote_write_2
