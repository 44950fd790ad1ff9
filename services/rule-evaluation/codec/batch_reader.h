#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "services/rule-evaluation/codec/wire.h"
#include "services/rule-evaluation/engine/record.h"

namespace liveops::evaluation {

// Reads the records that come by the million, ShardRecords whose body is a MetricBatch, without
// libprotobuf: names and labels stay where they are in the record, the columns go into arrays that
// are used again from record to record. What it accepts, and what it makes of it, is what
// libprotobuf would: fields in any order, packed or not, in pieces, repeated, unknown.
class BatchReader {
 public:
  enum class Found {
    kMalformed,  // not a ShardRecord
    kBatch,      // Check() makes the view
    kMixed,      // likewise, but before the batch stood bodies of other kinds, which were not read
    kOther,      // another body, or none
  };

  // The highest field number of a body of ShardRecord.
  static constexpr std::uint32_t kBodyLast = 7;

  // Keeps pointing into `record`.
  Found Read(std::string_view record);

  // Of what Read found. kInvalid: its columns and indices do not fit together; the message says
  // which. The view holds until the next Read.
  Result<engine::BatchView> Check();
  const engine::Source& source() const { return source_; }

 private:
  struct Entry {  // of series_, what a SeriesView cannot hold
    std::uint64_t kind = 0;
    std::uint32_t metric = 0;
    std::uint32_t unit = 0;
  };
  struct Counts {  // of histograms_, where its numbers begin
    std::size_t bounds = 0;
    std::size_t buckets = 0;
  };

  void Clear();
  bool ReadSource(wire::Reader in);
  bool ReadBatch(wire::Reader in);
  bool ReadBatchField(std::uint32_t tag, wire::Reader& in);
  bool ReadColumn(std::uint32_t tag, wire::Reader& in);
  bool ReadSeries(wire::Reader in);
  bool ReadHistogram(wire::Reader in);
  bool ReadHistogramColumn(std::uint32_t tag, wire::Reader& in);
  Status CheckSeries();
  Status CheckHistograms();

  engine::Source source_;
  std::string_view service_;
  std::int32_t protocol_ = 0;
  std::int64_t base_time_ms_ = 0;
  std::vector<std::string_view> strings_;
  std::vector<engine::SeriesView> series_;
  std::vector<Entry> entries_;
  wire::Column<std::uint32_t> point_series_;
  wire::Column<std::int64_t> point_time_delta_ms_;
  wire::Column<std::uint64_t> point_duration_ms_;
  wire::Column<double> point_value_;
  std::vector<engine::HistogramView> histograms_;
  std::vector<Counts> counts_;
  wire::Column<double> bounds_;
  wire::Column<std::uint64_t> buckets_;
};

}  // namespace liveops::evaluation
