#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "liveops/v1/ingest.pb.h"
#include "liveops/v1/metrics.pb.h"
#include "services/ingest/admit/admit.h"

// LiveOps' own messages to and from admission's plain structs.
namespace liveops::ingest {

// A MetricBatch as admission reads it: views into the message, which must outlive it unchanged.
class BatchViews {
 public:
  explicit BatchViews(const v1::MetricBatch& batch);
  const admit::BatchInput& input() const { return input_; }

 private:
  std::vector<std::string_view> strings_;
  std::vector<admit::SeriesInput> series_;
  std::vector<admit::HistogramInput> histograms_;
  admit::BatchInput input_;
};

// kInvalid, with a sentence for the sender's programmer, unless the source makes a retry
// recognisable: an emitter's name of at most 128 bytes, a session that is not 0, a sequence that is
// not 0.
Status CheckSource(const v1::Source& source);

// Points in the request, as it came.
std::uint64_t PointsOf(const v1::MetricBatch& batch);

// The ShardRecord with these points, serialized.
std::string EncodeBatch(const v1::Source& source, std::string_view service, v1::Protocol protocol,
                        const admit::Admitted& batch);

void FillRejections(const std::vector<admit::Rejection>& rejections,
                    google::protobuf::RepeatedPtrField<v1::Rejection>* out);

}  // namespace liveops::ingest
