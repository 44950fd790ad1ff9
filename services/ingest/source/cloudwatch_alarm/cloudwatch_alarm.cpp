#include "services/ingest/source/cloudwatch_alarm/cloudwatch_alarm.h"

#include <optional>
#include <utility>

#include "common/base/text.h"
#include "services/ingest/source/alert/json_reading.h"

namespace liveops::ingest::cloudwatch_alarm {
namespace {

using source::Json;

// "2026-02-04T09:15:00.000+0000": an offset without a colon.
std::optional<RealTime> TimeOf(std::string text) {
  const bool bare =
      text.size() > 5 && (text[text.size() - 5] == '+' || text[text.size() - 5] == '-');
  if (bare) text.insert(text.size() - 2, ":");
  return source::ReadTime(text);
}

// Words `service=shop severity=critical` of the alarm's description: CloudWatch has no labels.
std::string WordOf(std::string_view description, std::string_view name) {
  for (std::string_view line : Split(description, '\n')) {
    for (const std::string_view word : Split(line, ' ')) {
      if (word.size() <= name.size() || !word.starts_with(name) || word[name.size()] != '=')
        continue;
      return std::string(Trim(word.substr(name.size() + 1)));
    }
  }
  return "";
}

// Of the metric's dimensions, the one that AWS itself calls the service.
std::string ServiceOfDimensions(const Json& alarm) {
  const auto trigger = alarm.find("Trigger");
  if (trigger == alarm.end() || !trigger->is_object()) return "";
  const auto dimensions = trigger->find("Dimensions");
  if (dimensions == trigger->end() || !dimensions->is_array()) return "";
  for (const Json& dimension : *dimensions) {
    if (source::TextAt(dimension, "name") == "ServiceName")
      return source::TextAt(dimension, "value");
  }
  return "";
}

Result<ForeignAlerts> ReadAlarm(const Json& alarm) {
  ForeignAlert alert;
  alert.name = source::TextAt(alarm, "AlarmName");
  const std::string state = source::TextAt(alarm, "NewStateValue");
  if (alert.name.empty() || state.empty())
    return InvalidError("the message is no CloudWatch alarm: it has no AlarmName or NewStateValue");
  ForeignAlerts out;
  // That there are too few data says neither that it fires nor that it is over.
  if (state == "INSUFFICIENT_DATA") return out;
  if (state != "ALARM" && state != "OK") {
    return InvalidError("NewStateValue is \"" + Truncate(ScrubUtf8(state), 40) +
                        "\", which is none of CloudWatch's");
  }
  for (const auto& [label, key] : {std::pair("account", "AWSAccountId"), {"region", "Region"}}) {
    if (std::string value = source::TextAt(alarm, key); !value.empty())
      alert.labels.emplace_back(label, std::move(value));
  }
  const std::string description = source::TextAt(alarm, "AlarmDescription");
  alert.service = WordOf(description, "service");
  if (alert.service.empty()) alert.service = ServiceOfDimensions(alarm);
  alert.severity = WordOf(description, "severity");
  alert.summary = source::TextAt(alarm, "NewStateReason");
  alert.description = description;
  alert.over = state == "OK";
  (alert.over ? alert.ends : alert.starts) = TimeOf(source::TextAt(alarm, "StateChangeTime"));
  out.alerts.push_back(std::move(alert));
  return out;
}

}  // namespace

Result<std::variant<ForeignAlerts, Confirmation>> Read(std::string_view body) {
  using Out = std::variant<ForeignAlerts, Confirmation>;
  const Result<Json> json = source::ReadJson(body);
  if (!json) return json.error();
  const std::string type = source::TextAt(*json, "Type");
  if (type == "SubscriptionConfirmation" || type == "UnsubscribeConfirmation") {
    return Out(Confirmation{source::TextAt(*json, "TopicArn"), source::TextAt(*json, "Token"),
                            source::TextAt(*json, "SubscribeURL")});
  }
  if (type != "Notification")
    return InvalidError("the body is no envelope of SNS: its Type is \"" +
                        Truncate(ScrubUtf8(type), 40) + "\"");
  const Result<Json> message = source::ReadJson(source::TextAt(*json, "Message"));
  if (!message || !message->is_object())
    return InvalidError("the Message in SNS' envelope is no CloudWatch alarm in JSON");
  Result<ForeignAlerts> read = ReadAlarm(*message);
  if (!read) return read.error();
  return Out(*std::move(read));
}

}  // namespace liveops::ingest::cloudwatch_alarm
