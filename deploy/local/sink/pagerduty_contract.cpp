#include <cctype>
#include <regex>

#include "deploy/local/sink/fields.h"

namespace liveops::sink {
namespace {

using nlohmann::json;

// ISO 8601 with a zone: 2015-07-17T08:42:58.315+0000, 2020-01-01T00:00:00Z.
void CheckTimestamp(Fields& fields) {
  static const std::regex kForm(
      R"(\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2}))");
  const std::string text = fields.Text("timestamp", 64, false);
  if (!text.empty() && !std::regex_match(text, kForm)) {
    fields.Note("timestamp", "\"" + text + "\" is no ISO 8601 time with a zone");
  }
}

void CheckRoutingKey(Fields& fields) {
  const std::string key = fields.Text("routing_key", 32, true);
  bool good = key.size() == 32;
  for (const char c : key) good = good && std::isalnum(static_cast<unsigned char>(c)) != 0;
  if (!key.empty() && !good) fields.Note("routing_key", "must be 32 letters and digits");
}

void CheckLinks(Fields& fields) {
  const json* links = fields.List("links", 100, false);
  for (std::size_t i = 0; links != nullptr && i < links->size(); ++i) {
    Violations found;
    Fields link((*links)[i], fields.PathOf("links[" + std::to_string(i) + "]"), found);
    link.Allow({"href", "text"});
    link.Url("href", 3000, true);
    link.Text("text", 1024, false);
    for (const std::string& what : found) fields.Note("links", what);
  }
}

void CheckImages(Fields& fields) {
  const json* images = fields.List("images", 100, false);
  for (std::size_t i = 0; images != nullptr && i < images->size(); ++i) {
    Violations found;
    Fields image((*images)[i], fields.PathOf("images[" + std::to_string(i) + "]"), found);
    image.Allow({"src", "href", "alt"});
    image.Url("src", 3000, true);
    image.Url("href", 3000, false);
    image.Text("alt", 1024, false);
    for (const std::string& what : found) fields.Note("images", what);
  }
}

void CheckPayload(const json& object, Violations& violations) {
  Fields payload(object, "payload", violations);
  if (!payload.is_object()) return;
  payload.Allow({"summary", "source", "severity", "timestamp", "component", "group", "class",
                 "custom_details"});
  payload.Text("summary", 1024, true);
  payload.Text("source", 1024, true);
  payload.Word("severity", {"critical", "error", "warning", "info"}, true);
  CheckTimestamp(payload);
  payload.Text("component", 1024, false);
  payload.Text("group", 1024, false);
  payload.Text("class", 1024, false);
  const json* details = payload.Find("custom_details");
  if (details != nullptr && !details->is_object()) {
    payload.Note("custom_details", "must be an object");
  }
}

}  // namespace

Violations CheckPagerDutyEvent(const json& event) {
  Violations violations;
  Fields fields(event, "", violations);
  if (!fields.is_object()) return violations;
  fields.Allow({"routing_key", "event_action", "dedup_key", "payload", "images", "links", "client",
                "client_url"});
  CheckRoutingKey(fields);
  const std::string action =
      fields.Word("event_action", {"trigger", "acknowledge", "resolve"}, true);
  const bool trigger = action == "trigger";
  // Without a key an acknowledgement or a resolve can close nothing.
  fields.Text("dedup_key", 255, action == "acknowledge" || action == "resolve");
  if (const json* payload = fields.Find("payload")) {
    CheckPayload(*payload, violations);
  } else if (trigger) {
    fields.Note("payload", "is missing");
  }
  CheckImages(fields);
  CheckLinks(fields);
  fields.Text("client", 1024, false);
  fields.Url("client_url", 3000, false);
  return violations;
}

Violations CheckPagerDutyChange(const json& change) {
  Violations violations;
  Fields fields(change, "", violations);
  if (!fields.is_object()) return violations;
  fields.Allow({"routing_key", "payload", "links", "images"});
  CheckRoutingKey(fields);
  CheckLinks(fields);
  CheckImages(fields);
  const json* object = fields.Find("payload");
  if (object == nullptr) {
    fields.Note("payload", "is missing");
    return violations;
  }
  Fields payload(*object, "payload", violations);
  payload.Allow({"summary", "timestamp", "source", "custom_details"});
  payload.Text("summary", 1024, true);
  payload.Text("source", 1024, false);
  CheckTimestamp(payload);
  return violations;
}

}  // namespace liveops::sink
