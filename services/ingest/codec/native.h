#pragma once

#include <vector>

#include "common/base/result.h"
#include "common/wire/metric_batch.h"
#include "liveops/v1/ingest.pb.h"
#include "services/ingest/admit/admit.h"

// LiveOps' own messages.
namespace liveops::ingest {

// kInvalid, with a sentence for the sender's programmer, unless the source makes a retry
// recognisable: an emitter's name of at most 128 bytes, a session that is not 0, a sequence that is
// not 0.
Status CheckSource(const wire::Source& source);

void FillRejections(const std::vector<admit::Rejection>& rejections,
                    google::protobuf::RepeatedPtrField<v1::Rejection>* out);

}  // namespace liveops::ingest
