#include "services/ingest/source/cloudwatch_alarm/sns_signature.h"

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "common/base/base64.h"
#include "common/base/text.h"
#include "services/ingest/source/alert/json_reading.h"

namespace liveops::ingest::cloudwatch_alarm {
namespace {

using source::Json;

constexpr std::string_view kHttps = "https://";
constexpr std::string_view kMessage = "Message";
constexpr std::string_view kSubject = "Subject";

std::string Shown(std::string_view text) { return "\"" + Truncate(ScrubUtf8(text), 200) + "\""; }

// null is as good as absent; "" is not.
std::optional<std::string> FieldOf(const Json& envelope, std::string_view name) {
  const auto at = envelope.find(name);
  if (at == envelope.end() || !at->is_string()) return std::nullopt;
  return at->get<std::string>();
}

// "sns.eu-central-1.amazonaws.com", in China with ".cn" behind it.
bool IsHostOfSns(std::string_view host) {
  constexpr std::string_view kBegin = "sns.";
  if (!host.starts_with(kBegin)) return false;
  host.remove_prefix(kBegin.size());
  if (host.ends_with(".cn")) host.remove_suffix(3);
  constexpr std::string_view kEnd = ".amazonaws.com";
  if (!host.ends_with(kEnd)) return false;
  host.remove_suffix(kEnd.size());
  return host.size() >= 3 && std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

// The last part of its path; nothing when it is no URL of a certificate of SNS'.
std::optional<std::string> CertificateOf(std::string_view url) {
  if (!url.starts_with(kHttps)) return std::nullopt;
  url.remove_prefix(kHttps.size());
  const std::size_t slash = url.find('/');
  if (slash == std::string_view::npos || !IsHostOfSns(url.substr(0, slash))) return std::nullopt;
  const std::string_view file = url.substr(url.rfind('/') + 1);
  if (!file.ends_with(".pem") || !IsPlainText(file)) return std::nullopt;
  return std::string(file);
}

// Adds "NAME\nVALUE\n" of each, in this order.
Status Write(const Json& envelope, std::initializer_list<std::string_view> names,
             std::string& out) {
  for (const std::string_view name : names) {
    const auto value = FieldOf(envelope, name);
    if (!value && name == kSubject) continue;
    if (!value) return InvalidError("SNS' message has no " + std::string(name));
    if (name != kMessage && value->find('\n') != std::string::npos)
      return InvalidError("the " + std::string(name) + " of SNS' message has several lines");
    out.append(name).append("\n").append(*value).append("\n");
  }
  return {};
}

}  // namespace

Result<SignedMessage> ReadSigned(std::string_view body) {
  const Result<Json> json = source::ReadJson(body);
  if (!json) return json.error();
  if (!json->is_object()) return InvalidError("the body is no envelope of SNS");
  const std::string type = FieldOf(*json, "Type").value_or("");
  SignedMessage out;
  Status written;
  if (type == "Notification") {
    written =
        Write(*json, {kMessage, "MessageId", kSubject, "Timestamp", "TopicArn", "Type"}, out.text);
  } else if (type == "SubscriptionConfirmation" || type == "UnsubscribeConfirmation") {
    written = Write(
        *json, {kMessage, "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"},
        out.text);
  } else {
    return InvalidError("the body is no envelope of SNS: its Type is " + Shown(type));
  }
  if (!written) return written.error();
  out.topic = *FieldOf(*json, "TopicArn");
  const auto sent = source::ReadTime(*FieldOf(*json, "Timestamp"));
  if (!sent) return InvalidError("the Timestamp of SNS' message is no time");
  out.sent = *sent;
  const std::string version = FieldOf(*json, "SignatureVersion").value_or("");
  if (version != "1" && version != "2")
    return InvalidError("the SignatureVersion of SNS' message is " + Shown(version) +
                        ", neither 1 nor 2");
  out.hash = version == "1" ? http::SignatureHash::kSha1 : http::SignatureHash::kSha256;
  auto signature = ReadBase64(FieldOf(*json, "Signature").value_or(""));
  if (!signature || signature->empty())
    return InvalidError("SNS' message has no Signature in base64");
  out.signature = *std::move(signature);
  auto certificate = CertificateOf(FieldOf(*json, "SigningCertURL").value_or(""));
  if (!certificate)
    return InvalidError(
        "the SigningCertURL of SNS' message is not SNS' own: it must be "
        "https://sns.REGION.amazonaws.com/….pem");
  out.certificate = *std::move(certificate);
  return out;
}

Status CheckSigned(std::string_view body, const SnsSettings& settings, RealTime now) {
  const Result<SignedMessage> message = ReadSigned(body);
  if (!message) return message.error();
  if (!settings.topics.contains(message->topic))
    return DeniedError("the topic " + Shown(message->topic) + " is none of alerts.sns.topics");
  if (message->sent + kMessageAgeMax < now || message->sent > now + kMessageAgeMax) {
    return DeniedError("the message was sent at " + FormatUtc(ToMs(message->sent)) +
                       ", more than " + FormatDuration(kMessageAgeMax) + " from now");
  }
  const auto signer =
      std::find_if(settings.certificates.begin(), settings.certificates.end(),
                   [&](const http::SigningCertificate& one) {
                     return one.Signed(message->text, message->signature, message->hash);
                   });
  if (signer == settings.certificates.end()) {
    return DeniedError(
        "no certificate of alerts.sns.certificates has signed the message; it names " +
        Shown(message->certificate));
  }
  if (!signer->ValidAt(now)) {
    return DeniedError("the certificate that signed the message, " + Shown(message->certificate) +
                       ", is valid from " + FormatUtc(ToMs(signer->from())) + " to " +
                       FormatUtc(ToMs(signer->until())));
  }
  return {};
}

}  // namespace liveops::ingest::cloudwatch_alarm
