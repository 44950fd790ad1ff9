#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/wire/metric_batch.h"
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
  static constexpr std::uint32_t kBodyLast = 9;

  // Keeps pointing into `record`.
  Found Read(std::string_view record);

  // Of what Read found. kInvalid: its columns and indices do not fit together; the message says
  // which. The view holds until the next Read.
  Result<engine::BatchView> Check();
  engine::Source source() const {
    return {in_.source().emitter, in_.source().session, in_.source().sequence};
  }

 private:
  Status CheckSeries();
  Status CheckHistograms();

  wire::MetricBatchReader in_;
  std::vector<engine::SeriesView> series_;
  std::vector<engine::HistogramView> histograms_;
};

}  // namespace liveops::evaluation
