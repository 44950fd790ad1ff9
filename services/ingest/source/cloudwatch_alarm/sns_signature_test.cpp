#include "services/ingest/source/cloudwatch_alarm/sns_signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/ingest/source/cloudwatch_alarm/sns_for_tests.h"

namespace liveops::ingest::cloudwatch_alarm {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const RealTime kNow = RealFromMs(1'770'000'000'000);
constexpr Duration kDay(86'400'000);

const http::SigningKey& Key() {
  static const http::SigningKey key(kNow - kDay, kNow + kDay);
  return key;
}
SnsSettings Settings(const std::string& pem = Key().pem()) {
  return {*http::SigningCertificate::ReadAll(pem), {kTopic}};
}
SnsFields Alarm() { return Notification(R"({"AlarmName":"cpu"})", kNow - Duration(1000)); }

std::string With(const std::string& body, const char* name, const json& value) {
  json changed = json::parse(body);
  changed[name] = value;
  return changed.dump();
}
std::string Without(const std::string& body, const char* name) {
  json changed = json::parse(body);
  changed.erase(name);
  return changed.dump();
}
// "" = it is SNS'.
std::string Refusal(const std::string& body, const SnsSettings& settings = Settings(),
                    RealTime now = kNow) {
  const Status s = CheckSigned(body, settings, now);
  return s.ok() ? "" : std::string(ErrorCodeName(s.error().code)) + ": " + s.error().message;
}

// The examples of AWS' page, by hand.
TEST(SnsText, OfANotification) {
  SnsFields fields = {{"Type", "Notification"},
                      {"MessageId", "4d4dc071"},
                      {"TopicArn", "arn:aws:sns:us-east-2:123456789012:s4-MySNSTopic"},
                      {"Subject", "My subject"},
                      {"Message", "Test\nMessage"},
                      {"Timestamp", "2019-01-31T04:37:04.321Z"}};
  EXPECT_EQ(ReadSigned(SignedBy(Key(), fields))->text,
            "Message\nTest\nMessage\nMessageId\n4d4dc071\nSubject\nMy subject\n"
            "Timestamp\n2019-01-31T04:37:04.321Z\n"
            "TopicArn\narn:aws:sns:us-east-2:123456789012:s4-MySNSTopic\nType\nNotification\n");
  fields.erase("Subject");
  const std::string bare = SignedBy(Key(), fields);
  const std::string text =
      "Message\nTest\nMessage\nMessageId\n4d4dc071\nTimestamp\n2019-01-31T04:37:04.321Z\n"
      "TopicArn\narn:aws:sns:us-east-2:123456789012:s4-MySNSTopic\nType\nNotification\n";
  EXPECT_EQ(ReadSigned(bare)->text, text);
  EXPECT_EQ(ReadSigned(With(bare, "Subject", nullptr))->text, text);
  EXPECT_THAT(ReadSigned(With(bare, "Subject", ""))->text, HasSubstr("\nSubject\n\nTimestamp\n"));
  EXPECT_EQ(ReadSigned(With(bare, "Token", "t"))->text, text) << "a field that does not count";
}

TEST(SnsText, OfAConfirmation) {
  for (const char* type : {"SubscriptionConfirmation", "UnsubscribeConfirmation"}) {
    const SnsFields fields = {{"Type", type},
                              {"MessageId", "m"},
                              {"TopicArn", "arn"},
                              {"Message", "You have"},
                              {"Token", "t"},
                              {"SubscribeURL", "https://x"},
                              {"Subject", "no part of it"},
                              {"Timestamp", "2019-01-31T04:37:04Z"}};
    EXPECT_EQ(ReadSigned(SignedBy(Key(), fields))->text,
              "Message\nYou have\nMessageId\nm\nSubscribeURL\nhttps://x\nTimestamp\n"
              "2019-01-31T04:37:04Z\nToken\nt\nTopicArn\narn\nType\n" +
                  std::string(type) + "\n");
  }
}

TEST(SnsSignature, OfBothVersionsAndEachTypeIsKnown) {
  for (const char* version : {"1", "2"}) {
    EXPECT_EQ(Refusal(SignedBy(Key(), Alarm(), version)), "");
    SnsFields subject = Alarm();
    subject["Subject"] = "ALARM: \"cpu\" \xc3\xbc";
    EXPECT_EQ(Refusal(SignedBy(Key(), subject, version)), "");
    for (const char* type : {"SubscriptionConfirmation", "UnsubscribeConfirmation"})
      EXPECT_EQ(Refusal(SignedBy(Key(), Confirmation(type, kNow), version)), "") << type;
  }
}

TEST(SnsSignature, AlteredOrForged) {
  const std::string body = SignedBy(Key(), Alarm());
  for (const char* name : {"Message", "MessageId"})
    EXPECT_THAT(Refusal(With(body, name, "x")), HasSubstr("denied: no certificate")) << name;
  EXPECT_THAT(Refusal(With(body, "Timestamp", FormatUtc(ToMs(kNow)))), HasSubstr("no certificate"));
  EXPECT_THAT(Refusal(With(body, "Subject", "")), HasSubstr("no certificate"));
  EXPECT_THAT(Refusal(With(body, "SignatureVersion", "1")), HasSubstr("no certificate"));
  const std::string asked = SignedBy(Key(), Confirmation("SubscriptionConfirmation", kNow));
  for (const char* name : {"Message", "MessageId", "SubscribeURL", "Token"})
    EXPECT_THAT(Refusal(With(asked, name, "x")), HasSubstr("no certificate")) << name;
  EXPECT_THAT(Refusal(With(asked, "Type", "UnsubscribeConfirmation")), HasSubstr("no certificate"));
  const http::SigningKey forger(kNow - kDay, kNow + kDay);
  EXPECT_THAT(Refusal(SignedBy(forger, Alarm())), HasSubstr("SimpleNotificationService-01d0.pem"))
      << "whoever is to pin it learns its name";
  EXPECT_EQ(Refusal(SignedBy(forger, Alarm()), Settings(Key().pem() + forger.pem())), "");
}

// What was one value cannot be read as two: the text would be the same.
TEST(SnsSignature, OfATextThatIsCutInOtherPlaces) {
  SnsFields fields = Alarm();
  fields["Message"] = "A\nMessageId\nB";
  const std::string body = SignedBy(Key(), fields);
  ASSERT_EQ(Refusal(body), "");
  const std::string cut =
      With(With(body, "Message", "A"), "MessageId", "B\nMessageId\n" + fields["MessageId"]);
  EXPECT_THAT(Refusal(cut), HasSubstr("invalid: the MessageId of SNS' message has several lines"));
}

TEST(SnsSignature, OfAnotherTopic) {
  SnsFields fields = Alarm();
  fields["TopicArn"] = std::string(kTopic) + "2";
  EXPECT_THAT(Refusal(SignedBy(Key(), fields)), HasSubstr("denied: the topic"));
}

TEST(SnsSignature, Replayed) {
  const std::string body = SignedBy(Key(), Alarm());
  EXPECT_EQ(Refusal(body, Settings(), kNow + kMessageAgeMax - Duration(1000)), "");
  EXPECT_THAT(Refusal(body, Settings(), kNow + kMessageAgeMax - Duration(999)),
              HasSubstr("denied: the message was sent at 2026-02-02T02:39:59.000Z"));
  EXPECT_THAT(Refusal(body, Settings(), kNow - Duration(1001) - kMessageAgeMax),
              HasSubstr("more than 1h from now"));
}

TEST(SnsSignature, ByACertificateThatIsNotValidNow) {
  const http::SigningKey over(kNow - kDay, kNow - Duration(1000));
  const http::SigningKey ahead(kNow + Duration(1000), kNow + kDay);
  const SnsSettings settings = Settings(over.pem() + ahead.pem());
  EXPECT_THAT(Refusal(SignedBy(over, Alarm()), settings), HasSubstr("is valid from"));
  EXPECT_THAT(Refusal(SignedBy(ahead, Alarm()), settings), HasSubstr("denied: the certificate"));
  EXPECT_EQ(Refusal(SignedBy(over, Alarm()), settings, kNow - Duration(1000)), "");
}

TEST(SnsSignature, TheCertificatesUrlIsSnsOwn) {
  const std::string body = SignedBy(Key(), Alarm());
  for (const char* url : {"https://sns.us-gov-west-1.amazonaws.com/a.pem",
                          "https://sns.us-east-1.amazonaws.com/x/a.pem",
                          "https://sns.cn-north-1.amazonaws.com.cn/a.pem"})
    EXPECT_EQ(Refusal(With(body, "SigningCertURL", url)), "") << url;
  for (const char* url :
       {"", "http://sns.us-east-1.amazonaws.com/a.pem", "https://sns.us-east-1.amazonaws.com",
        "https://sns.us-east-1.amazonaws.com/a.pem?x",
        "https://sns.us-east-1.amazonaws.com:444/a.pem",
        "https://sns.us-east-1.amazonaws.com.evil.com/a.pem",
        "https://evil.com/sns.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com@evil.com/a.pem",
        "https://x@sns.us-east-1.amazonaws.com/a.pem", "https://sns.amazonaws.com/a.pem",
        "https://sns.a.b.amazonaws.com/a.pem", "https://evilsns.us-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com.cn.cn/a.pem", "https://127.0.0.1/a.pem",
        "file:///sns.us-east-1.amazonaws.com/a.pem"})
    EXPECT_THAT(Refusal(With(body, "SigningCertURL", url)),
                HasSubstr("invalid: the SigningCertURL"))
        << url;
}

TEST(SnsSignature, WhatIsNoSignedMessage) {
  const std::string body = SignedBy(Key(), Alarm());
  for (const char* name : {"Type", "MessageId", "TopicArn", "Message", "Timestamp",
                           "SignatureVersion", "Signature", "SigningCertURL"}) {
    EXPECT_THAT(Refusal(Without(body, name)), HasSubstr("invalid: ")) << name;
    EXPECT_THAT(Refusal(With(body, name, 7)), HasSubstr("invalid: ")) << name;
    EXPECT_THAT(Refusal(With(body, name, "\n")), testing::Not("")) << name;
  }
  EXPECT_THAT(Refusal(With(body, "Signature", "!")), HasSubstr("base64"));
  EXPECT_THAT(Refusal(With(body, "SignatureVersion", "3")), HasSubstr("neither 1 nor 2"));
  const std::string asked = SignedBy(Key(), Confirmation("SubscriptionConfirmation", kNow));
  for (const char* name : {"Token", "SubscribeURL"})
    EXPECT_THAT(Refusal(Without(asked, name)), HasSubstr("invalid: ")) << name;
  for (const char* none : {"", "x", "[]", "7", "{}", "null"})
    EXPECT_THAT(Refusal(none), HasSubstr("invalid: ")) << none;
}

}  // namespace
}  // namespace liveops::ingest::cloudwatch_alarm
