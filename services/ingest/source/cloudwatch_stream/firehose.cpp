#include "services/ingest/source/cloudwatch_stream/firehose.h"

#include <utility>

#include "common/base/base64.h"
#include "common/base/text.h"
#include "services/ingest/source/alert/json_reading.h"

namespace liveops::ingest::cloudwatch {

using source::Json;

Result<Delivery> ReadDelivery(std::string_view body) {
  const Result<Json> json = source::ReadJson(body);
  if (!json) return json.error();
  Delivery out;
  out.id = source::TextAt(*json, "requestId");
  if (out.id.empty()) return InvalidError("the body is no delivery of Firehose: no requestId");
  const auto records = json->find("records");
  if (records == json->end() || !records->is_array())
    return InvalidError("the body is no delivery of Firehose: no records");
  for (const Json& record : *records) {
    auto data = ReadBase64(source::TextAt(record, "data"));
    if (data && !data->empty()) {
      out.records.push_back(*std::move(data));
    } else {
      ++out.unreadable;
    }
  }
  return out;
}

std::string Answer(std::string_view id, std::int64_t now_ms, std::string_view error) {
  Json json = {{"requestId", std::string(id)}, {"timestamp", now_ms}};
  if (!error.empty()) json["errorMessage"] = std::string(Truncate(error, 1000));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string CommonAttribute(std::string_view header, const char* name) {
  const Result<Json> json = source::ReadJson(header);
  if (!json || !json->is_object()) return "";
  const auto attributes = json->find("commonAttributes");
  return attributes == json->end() ? "" : source::TextAt(*attributes, name);
}

}  // namespace liveops::ingest::cloudwatch
