#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// What Amazon Data Firehose posts to an HTTP endpoint, and wants for an answer
// (https://docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html). Pure.
namespace liveops::ingest::cloudwatch {

struct Delivery {
  std::string id;  // the same at each attempt
  std::vector<std::string> records;
  std::uint64_t unreadable = 0;  // records whose data are no base64
};

// The body of a request, decompressed. kInvalid: it is none.
Result<Delivery> ReadDelivery(std::string_view body);

// The body of an answer. `error`: "" = it was taken.
std::string Answer(std::string_view id, std::int64_t now_ms, std::string_view error);

// The parameter that the stream was given under this name, of the header
// X-Amz-Firehose-Common-Attributes; "" = none.
std::string CommonAttribute(std::string_view header, const char* name);

}  // namespace liveops::ingest::cloudwatch
