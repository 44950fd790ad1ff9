// Whatever is posted as SNS' messages: the reader of alarms, and the text that SNS signs.
#include <algorithm>
#include <variant>

#include "common/testing/fuzz.h"
#include "services/ingest/source/alert/alert_fuzz_for_tests.h"
#include "services/ingest/source/alert/json_reading.h"
#include "services/ingest/source/cloudwatch_alarm/cloudwatch_alarm.h"
#include "services/ingest/source/cloudwatch_alarm/sns_signature.h"

namespace liveops::fuzz {
namespace {

using ingest::source::Json;

constexpr const char* kSigned =
    R"("MessageId":"m","TopicArn":"arn:aws:sns:r:1:t","Timestamp":"2026-02-04T09:15:00.000Z",)"
    R"("SignatureVersion":"2","Signature":"AAAA",)"
    R"("SigningCertURL":"https://sns.eu-central-1.amazonaws.com/a.pem")";

// The last line of the text, taken off it.
std::string TakeLine(std::string& text) {
  Demand(text.ends_with('\n'), "the text is of lines");
  text.pop_back();
  const std::size_t at = text.rfind('\n');
  std::string line = text.substr(at == std::string::npos ? 0 : at + 1);
  text.resize(at == std::string::npos ? 0 : at + 1);
  return line;
}

// Read from its end, as a verifier that knows the message would: there is one way to.
void DemandText(const Json& json, std::string text) {
  bool message = false;
  std::string before;
  while (!text.empty()) {
    if (text.starts_with("Message\n") &&
        text.ends_with(json["Message"].get<std::string>() + "\n") &&
        text.size() == json["Message"].get_ref<const std::string&>().size() + 9) {
      message = true;
      break;
    }
    const std::string value = TakeLine(text);
    const std::string name = TakeLine(text);
    Demand(json.contains(name) && json[name].is_string(), "each name is a field's");
    DemandSame(value, json[name].get<std::string>());
    Demand(before.empty() || name < before, "names are in order");
    before = name;
  }
  Demand(message, "the message stands first");
}

}  // namespace

std::vector<std::string> Seeds() {
  const std::string fields = kSigned;
  return {
      R"({"Type":"Notification","Subject":"ALARM",)" + fields +
          R"(,"Message":"{\"AlarmName\":\"cpu\",\"AlarmDescription\":\"service=shop severity=critical\",)"
          R"(\"NewStateValue\":\"ALARM\",\"StateChangeTime\":\"2026-02-04T09:15:00.000+0000\",)"
          R"(\"Trigger\":{\"Dimensions\":[{\"name\":\"ServiceName\",\"value\":\"x\"}]}}"})",
      R"({"Type":"SubscriptionConfirmation","Message":"m\nMessageId\nx",)" + fields +
          R"(,"Token":"t","SubscribeURL":"https://x"})",
      R"({"Type":"UnsubscribeConfirmation","Message":"",)" + fields +
          R"(,"Token":"","SubscribeURL":""})",
      R"({"Type":"Notification","Subject":null,"Message":"{}",)" + fields + "}",
      R"({"Type":"Notification","Message":"A",)" + fields + R"(,"MessageId":"x\nMessageId\nm"})"};
}

std::vector<std::string> Words() {
  return {"\"Type\":\"Notification\"",
          "\"Subject\":",
          "\"Token\":\"",
          "\\nMessageId\\n",
          "\\nType\\n",
          "\\n",
          "null",
          "https://sns.",
          ".amazonaws.com",
          ".cn",
          ".pem",
          "\\\"NewStateValue\\\":",
          "ALARM",
          "OK",
          "INSUFFICIENT_DATA",
          "service="};
}

void Run(std::string_view input) {
  using namespace ingest;
  const auto read = cloudwatch_alarm::Read(input);
  if (!read) source::DemandRefusal(read.error());
  if (read && std::holds_alternative<ForeignAlerts>(*read))
    source::DemandAlerts(std::get<ForeignAlerts>(*read));

  const auto message = cloudwatch_alarm::ReadSigned(input);
  if (!message) return source::DemandRefusal(message.error());
  const Result<Json> json = source::ReadJson(input);
  Demand(json.ok() && json->is_object(), "what was signed is JSON");
  Demand(!message->signature.empty(), "there is a signature");
  Demand(message->certificate.find('/') == std::string::npos, "a file has no folder");
  DemandSame(message->topic, (*json)["TopicArn"].get<std::string>());
  DemandText(*json, message->text);
}

}  // namespace liveops::fuzz
