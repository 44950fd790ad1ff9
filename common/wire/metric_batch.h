#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/hash.h"
#include "common/wire/wire.h"

// liveops.v1.Source and liveops.v1.MetricBatch (proto/liveops/v1) as bytes, without libprotobuf:
// names and labels stay where they are in the message, the columns go into arrays that are used
// again from message to message.
namespace liveops::wire {

struct Source {
  std::string_view emitter;
  std::uint64_t session = 0;
  std::uint64_t sequence = 0;
};

struct SeriesEntry {
  Fingerprint fingerprint;
  std::int32_t kind = 0;     // as it came; a v1::SeriesKind or not
  std::uint32_t metric = 0;  // index into `strings`, or beyond them
  std::uint32_t unit = 0;
  std::string_view labels;
};

struct HistogramPoint {
  std::uint32_t series = 0;  // index into `series`, or beyond them
  std::int64_t time_delta_ms = 0;
  std::uint64_t duration_ms = 0;
  std::uint64_t count = 0;
  double sum = 0;
  std::span<const double> bounds;
  std::span<const std::uint64_t> bucket_counts;
};

// What it accepts, and what it makes of it, is what libprotobuf would: fields in any order, packed
// or not, in pieces, repeated, unknown. That the columns and indices fit together is for the caller
// to check. One thread at a time.
class MetricBatchReader {
 public:
  // Levels of nesting left for groups inside these messages, which themselves stand in one.
  static constexpr int kNested = kNestedMax - 1;

  void ClearSource() { source_ = {}; }
  void ClearBatch();
  // Adds the message to what was read before, as a second one of the same field does. False: it is
  // malformed. Keeps pointing into `message`.
  bool AddSource(std::string_view message);
  bool AddBatch(std::string_view message);

  const Source& source() const { return source_; }
  std::string_view service() const { return service_; }
  std::int32_t protocol() const { return protocol_; }
  std::int64_t base_time_ms() const { return base_time_ms_; }
  std::span<const std::string_view> strings() const { return strings_; }
  std::span<const SeriesEntry> series() const { return series_; }
  std::span<const std::uint32_t> point_series() const { return point_series_.All(); }
  std::span<const std::int64_t> point_time_delta_ms() const { return point_time_delta_ms_.All(); }
  std::span<const std::uint64_t> point_duration_ms() const { return point_duration_ms_.All(); }
  std::span<const double> point_value() const { return point_value_.All(); }
  std::size_t histogram_count() const { return histograms_.size(); }
  // Its spans hold until more is added.
  HistogramPoint histogram(std::size_t i) const;

 private:
  struct Counts {  // of histograms_, where its numbers begin
    std::size_t bounds = 0;
    std::size_t buckets = 0;
  };

  bool ReadBatchField(std::uint32_t tag, Reader& in);
  bool ReadColumn(std::uint32_t tag, Reader& in);
  bool ReadSeries(Reader in);
  bool ReadHistogram(Reader in);
  bool ReadHistogramColumn(std::uint32_t tag, Reader& in);

  Source source_;
  std::string_view service_;
  std::int32_t protocol_ = 0;
  std::int64_t base_time_ms_ = 0;
  std::vector<std::string_view> strings_;
  std::vector<SeriesEntry> series_;
  Column<std::uint32_t> point_series_;
  Column<std::int64_t> point_time_delta_ms_;
  Column<std::uint64_t> point_duration_ms_;
  Column<double> point_value_;
  std::vector<HistogramPoint> histograms_;
  std::vector<Counts> counts_;
  Column<double> bounds_;
  Column<std::uint64_t> buckets_;
};

}  // namespace liveops::wire
