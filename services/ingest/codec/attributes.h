#pragma once

#include <string>
#include <utility>
#include <vector>

#include "opentelemetry/proto/common/v1/common.pb.h"

// Inside this folder: OpenTelemetry's attributes as label pairs.
namespace liveops::ingest {

using LabelPairs = std::vector<std::pair<std::string, std::string>>;
using Attributes = google::protobuf::RepeatedPtrField<opentelemetry::proto::common::v1::KeyValue>;

// Strings as they are; booleans, numbers, lists and maps as JSON; bytes as lower-case hexadecimal.
// https://opentelemetry.io/docs/specs/otel/common/#attribute
void AppendAttributes(const Attributes& attributes, LabelPairs& out);
std::string AttributeText(const opentelemetry::proto::common::v1::AnyValue& value);

}  // namespace liveops::ingest
