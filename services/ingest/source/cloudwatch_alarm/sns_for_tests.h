#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "common/base/time.h"
#include "common/http/signing_for_tests.h"

// For tests: messages as SNS sends them.
namespace liveops::ingest::cloudwatch_alarm {

inline constexpr const char* kTopic = "arn:aws:sns:eu-central-1:123456789012:alarms";

using SnsFields = std::map<std::string, std::string>;

inline SnsFields Notification(const std::string& message, RealTime sent) {
  return {{"Type", "Notification"},
          {"MessageId", "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"},
          {"TopicArn", kTopic},
          {"Message", message},
          {"Timestamp", FormatUtc(ToMs(sent))}};
}
inline SnsFields Confirmation(const std::string& type, RealTime sent) {
  SnsFields fields = Notification("You have chosen to subscribe to the topic.", sent);
  fields["Type"] = type;
  fields["Token"] = "2336412f37f";
  fields["SubscribeURL"] =
      "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37f";
  return fields;
}

// By the rule, over what of the fields is there.
inline std::string CanonicalOf(const SnsFields& fields) {
  std::string out;
  for (const char* name : {"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token",
                           "TopicArn", "Type"}) {
    if (const auto at = fields.find(name); at != fields.end())
      out += at->first + "\n" + at->second + "\n";
  }
  return out;
}

// The body that is posted. `version`: "1" or "2".
inline std::string SignedBy(const http::SigningKey& key, SnsFields fields,
                            const std::string& version = "2") {
  const auto hash = version == "1" ? http::SignatureHash::kSha1 : http::SignatureHash::kSha256;
  const std::string signature = key.Sign(CanonicalOf(fields), hash);
  fields["SignatureVersion"] = version;
  fields["Signature"] = http::Base64(signature);
  fields["SigningCertURL"] =
      "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-01d0.pem";
  return nlohmann::json(fields).dump();
}

}  // namespace liveops::ingest::cloudwatch_alarm
