#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/http/signature.h"

// Who sent a message of SNS
// (https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html). Certificates
// are pinned and none is fetched: a URL that a message names is only looked at. Pure.
namespace liveops::ingest::cloudwatch_alarm {

struct SignedMessage {
  std::string topic;  // ARN
  RealTime sent{};
  std::string text;       // what was signed: "NAME\nVALUE\n" of each field that counts
  std::string signature;  // bytes
  http::SignatureHash hash = http::SignatureHash::kSha1;
  std::string certificate;  // file name in SigningCertURL: "SimpleNotificationService-….pem"
};

// kInvalid: the body is no signed message of SNS, or its SigningCertURL is not SNS' own. Of its
// fields Message alone may hold a newline: so no other message has the same text.
Result<SignedMessage> ReadSigned(std::string_view body);

struct SnsSettings {
  std::vector<http::SigningCertificate> certificates;  // none: nothing is checked
  // ARNs. Anybody's topic is signed by the same certificates: those that are not ours prove
  // nothing.
  std::set<std::string> topics;
};

// SNS tries again for an hour; what is older is a replay.
inline constexpr Duration kMessageAgeMax(3'600'000);

// kInvalid as ReadSigned; kDenied: of another topic, sent longer ago than kMessageAgeMax (or so far
// ahead), or not signed by a certificate that is valid now.
Status CheckSigned(std::string_view body, const SnsSettings& settings, RealTime now);

}  // namespace liveops::ingest::cloudwatch_alarm
