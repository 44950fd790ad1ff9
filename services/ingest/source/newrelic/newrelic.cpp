#include "services/ingest/source/newrelic/newrelic.h"

#include <string>
#include <utility>

#include "common/base/text.h"
#include "services/ingest/source/alert/json_reading.h"

namespace liveops::ingest::newrelic {
namespace {

using source::Json;

// The first of a list, or the single value.
std::string FirstAt(const Json& object, const char* key) {
  const auto at = object.find(key);
  if (at == object.end()) return "";
  if (!at->is_array()) return source::TextOf(*at).value_or("");
  return at->empty() ? "" : source::TextOf(at->front()).value_or("");
}

}  // namespace

Result<ForeignAlerts> Read(std::string_view body) {
  const Result<Json> json = source::ReadJson(body);
  if (!json) return json.error();
  const std::string issue = source::TextAt(*json, "id");
  if (issue.empty()) return InvalidError("the body is no mapping with an id");
  const std::string state = source::TextAt(*json, "state");
  const bool fires = state == "ACTIVATED" || state == "CREATED";
  if (!fires && state != "CLOSED" && state != "RESOLVED") {
    return InvalidError("state is \"" + Truncate(ScrubUtf8(state), 40) +
                        "\", which is none of New Relic's");
  }
  ForeignAlert alert;
  alert.summary = source::TextAt(*json, "title");
  alert.name = FirstAt(*json, "alertConditionNames");
  if (alert.name.empty()) alert.name = "issue";
  alert.labels.emplace_back("issue", issue);
  alert.service = source::TextAt(*json, "service");
  alert.severity = source::TextAt(*json, "priority");
  if (const std::string policy = FirstAt(*json, "alertPolicyNames"); !policy.empty())
    alert.description = "policy " + policy;
  alert.link = source::TextAt(*json, "issueUrl");
  alert.over = !fires;
  alert.starts = source::ReadUnixTime(source::TextAt(*json, "createdAt"));
  if (alert.over) alert.ends = source::ReadUnixTime(source::TextAt(*json, "updatedAt"));
  ForeignAlerts out;
  out.alerts.push_back(std::move(alert));
  return out;
}

}  // namespace liveops::ingest::newrelic
