#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "common/base/result.h"
#include "services/ingest/source/alert/foreign_alert.h"

// CloudWatch alarms as SNS posts them to an HTTP(S) endpoint
// (https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html): an envelope whose
// Message is the alarm's JSON (AlarmName, NewStateValue, StateChangeTime, …). Whether SNS sent it:
// sns_signature.h.
namespace liveops::ingest::cloudwatch_alarm {

// SNS asks whether it may post. Nothing is fetched: that is for a person to say.
struct Confirmation {
  std::string topic;  // ARN
  std::string token;
  std::string url;
};

// kInvalid: neither an envelope of SNS nor an alarm. Pure.
Result<std::variant<ForeignAlerts, Confirmation>> Read(std::string_view body);

}  // namespace liveops::ingest::cloudwatch_alarm
