#pragma once

#include <string_view>
#include <vector>

#include "common/wire/metric_batch.h"
#include "services/ingest/admit/admit.h"

namespace liveops::ingest {

// Reads a liveops.v1.WriteRequest without libprotobuf, and accepts what that would. One thread at a
// time; used again, it needs no more memory.
class RequestReader {
 public:
  // False: the bytes are no WriteRequest. Keeps pointing into them.
  bool Read(std::string_view bytes);

  // Of what Read found; they hold until the next Read.
  const wire::Source& source() const { return in_.source(); }
  const admit::BatchInput& input() const { return input_; }

 private:
  void MakeInput();

  wire::MetricBatchReader in_;
  std::vector<admit::SeriesInput> series_;
  std::vector<admit::HistogramInput> histograms_;
  admit::BatchInput input_;
};

}  // namespace liveops::ingest
