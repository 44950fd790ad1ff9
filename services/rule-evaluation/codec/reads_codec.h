#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <span>
#include <vector>

#include "liveops/v1/common.pb.h"
#include "services/rule-evaluation/engine/record.h"

// The other services that a plan's rules read, as records say it.
namespace liveops::evaluation {

using ReadsProto = google::protobuf::RepeatedPtrField<v1::ReadService>;

void ToProto(std::span<const engine::ServiceRead> reads, ReadsProto& out);

// False: one of them makes no sense. `out` is replaced.
bool FromProto(const ReadsProto& reads, std::vector<engine::ServiceRead>& out);

}  // namespace liveops::evaluation
