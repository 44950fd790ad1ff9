#include "services/ingest/source/alertmanager/alertmanager.h"

#include <optional>
#include <string>
#include <utility>

#include "services/ingest/source/alert/json_reading.h"

namespace liveops::ingest::alertmanager {
namespace {

using source::Json;

// False: there is something, and it is no time.
bool TimeAt(const Json& alert, const char* key, std::optional<RealTime>& out) {
  const auto at = alert.find(key);
  if (at == alert.end() || at->is_null()) return true;
  const auto text = source::TextOf(*at);
  if (!text) return false;
  if (text->empty() || text->starts_with("0001-01-01T00:00:00")) return true;  // Go's "not set"
  out = source::ReadTime(*text);
  return out.has_value();
}

// "" = it was read; else what is wrong.
std::string ReadAlert(const Json& json, ForeignAlert& out) {
  if (!json.is_object()) return "is no mapping";
  const auto labels = json.find("labels");
  if (labels == json.end() || !labels->is_object() || labels->empty()) return "has no labels";
  for (const auto& [name, value] : labels->items()) {
    const auto text = source::TextOf(value);
    if (!text) return "label \"" + name + "\" is no text";
    if (text->empty()) continue;  // as there: the same as no such label
    if (name == "alertname") {
      out.name = *text;
      continue;
    }
    if (name == "severity") out.severity = *text;
    out.labels.emplace_back(name, *text);
  }
  if (out.name.empty()) return "has no label alertname";
  if (const auto said = json.find("annotations"); said != json.end()) {
    out.summary = source::TextAt(*said, "summary");
    if (out.summary.empty()) out.summary = source::TextAt(*said, "message");
    out.description = source::TextAt(*said, "description");
    out.runbook = source::TextAt(*said, "runbook_url");
    if (out.runbook.empty()) out.runbook = source::TextAt(*said, "runbook");
  }
  out.link = source::TextAt(json, "generatorURL");
  for (const auto& [key, time] : {std::pair("startsAt", &out.starts), {"endsAt", &out.ends}}) {
    if (!TimeAt(json, key, *time)) return std::string(key) + " is no time of RFC 3339";
  }
  // As there: one that only ends began when it ended.
  if (!out.starts && out.ends) out.starts = out.ends;
  if (out.starts && out.ends && *out.starts > *out.ends)
    return "start time must be before end time";
  out.good_for = kResolveTimeout;
  return "";
}

}  // namespace

Result<ForeignAlerts> Read(std::string_view body) {
  const Result<Json> json = source::ReadJson(body);
  if (!json) return json.error();
  if (!json->is_array()) return InvalidError("the body is no list of alerts");
  if (json->size() > kAlertsMax) {
    return InvalidError("the body holds " + std::to_string(json->size()) + " alerts, at most " +
                        std::to_string(kAlertsMax) + " are allowed");
  }
  ForeignAlerts out;
  for (std::size_t i = 0; i < json->size(); ++i) {
    ForeignAlert alert;
    const std::string problem = ReadAlert((*json)[i], alert);
    if (problem.empty()) {
      out.alerts.push_back(std::move(alert));
    } else {
      out.problems.push_back("alert " + std::to_string(i + 1) + ": " + problem);
    }
  }
  return out;
}

}  // namespace liveops::ingest::alertmanager
