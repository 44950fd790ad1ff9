// CloudWatch's alarms where SNS' certificates are pinned: through the configuration and the HTTP
// front, to the log's records.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "services/ingest/service/http_for_tests.h"
#include "services/ingest/source/cloudwatch_alarm/sns_for_tests.h"

namespace liveops::ingest {
namespace {

using cloudwatch_alarm::Confirmation;
using cloudwatch_alarm::kTopic;
using cloudwatch_alarm::Notification;
using cloudwatch_alarm::SignedBy;
using cloudwatch_alarm::SnsFields;
using ::testing::HasSubstr;

constexpr const char* kAlarm =
    R"({"AlarmName":"cpu","AlarmDescription":"service=shop","NewStateValue":"ALARM",)"
    R"("NewStateReason":"s"})";
constexpr Duration kDay(86'400'000);

const http::SigningKey& Key() {
  static const http::SigningKey key(RealFromMs(kNow) - kDay, RealFromMs(kNow) + kDay);
  return key;
}

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "liveops-sns-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

class SnsHttp : public Http {
 protected:
  void SetUp() override {
    Http::SetUp();
    auto reader = config::Reader::FromText("alerts: {sns: {certificates: [" +
                                               folder_.Write("sns.pem", Key().pem()) +
                                               "], topics: [\"" + kTopic + "\"]}}",
                                           "t", ".");
    ASSERT_TRUE(reader.ok());
    settings_ = ReadHttpSettings(*reader);
    const Status finished = reader->Finish();
    ASSERT_TRUE(finished.ok()) << finished.error().message;
    Serve();
  }
  httplib::Result Tell(const std::string& body, const httplib::Headers& headers = {}) {
    return Post("/api/v1/webhooks/cloudwatch", body, "text/plain; charset=UTF-8", headers);
  }

  Folder folder_;
};

TEST_F(SnsHttp, WhatSnsHasSignedIsTaken) {
  for (const char* version : {"1", "2"}) {
    const auto answer = Tell(SignedBy(Key(), Notification(kAlarm, RealFromMs(kNow)), version));
    EXPECT_EQ(answer->status, 200) << answer->body;
  }
  ASSERT_EQ(world_.producer.sent.size(), 2u);
  EXPECT_EQ(world_.Sent(0).alert().name(), "cpu");
  EXPECT_EQ(world_.Sent(1).alert().service(), "shop");
  EXPECT_EQ(Counter("refused_alerts"), 0);
  const auto asked =
      Tell(SignedBy(Key(), Confirmation("SubscriptionConfirmation", RealFromMs(kNow))));
  EXPECT_EQ(asked->status, 200);
  EXPECT_THAT(asked->body, HasSubstr("waits for a person"));
}

TEST_F(SnsHttp, WhatItHasNotIsRefusedAndCounted) {
  const SnsFields alarm = Notification(kAlarm, RealFromMs(kNow));
  const http::SigningKey forger(RealFromMs(kNow) - kDay, RealFromMs(kNow) + kDay);
  SnsFields other = alarm;
  other["TopicArn"] = "arn:aws:sns:eu-central-1:666:alarms";
  std::string altered = SignedBy(Key(), alarm);
  altered.replace(altered.find("shop"), 4, "bank");
  int refused = 0;
  for (const std::string& body :
       {SignedBy(forger, alarm), SignedBy(Key(), other), altered,
        SignedBy(Key(), Notification(kAlarm, RealFromMs(kNow) - Duration(3'700'000))),
        SignedBy(forger, Confirmation("SubscriptionConfirmation", RealFromMs(kNow)))}) {
    const auto answer = Tell(body);
    EXPECT_EQ(answer->status, 403) << answer->body;
    EXPECT_TRUE(nlohmann::json::parse(answer->body).is_string()) << answer->body;
    EXPECT_EQ(Counter("refused_alerts"), ++refused);
  }
  const auto bare = Tell(nlohmann::json(alarm).dump());
  EXPECT_EQ(bare->status, 400);
  EXPECT_THAT(bare->body, HasSubstr("SignatureVersion"));
  EXPECT_EQ(Counter("refused_alerts"), 6);
  EXPECT_EQ(world_.producer.sent.size(), 0u);
}

// It is asked for beside the token, not in its place.
TEST_F(SnsHttp, TheTokenIsAskedForAsBefore) {
  settings_.tokens = {{"sns", "0123456789abcdef", {"shop"}}};
  Serve();
  const std::string body = SignedBy(Key(), Notification(kAlarm, RealFromMs(kNow)));
  EXPECT_EQ(Tell(body)->status, 401);
  EXPECT_EQ(Tell(body, {{"Authorization", "Bearer 0123456789abcdef"}})->status, 200);
}

// What cannot be judged yet comes again.
TEST_F(SnsHttp, WithoutTheBrokersTimeNothingIsJudged) {
  world_.producer.is_connected = false;
  EXPECT_EQ(Tell(SignedBy(Key(), Notification(kAlarm, RealFromMs(kNow))))->status, 503);
  EXPECT_EQ(Counter("refused_alerts"), 0);
}

std::string ProblemOf(const std::string& sns) {
  auto reader = config::Reader::FromText("alerts: {sns: " + sns + "}", "t", ".");
  (void)ReadHttpSettings(*reader);
  const Status status = reader->Finish();
  return status.ok() ? "" : status.error().message;
}

TEST(SnsSettings, WhatCannotBeIsSaid) {
  const Folder folder;
  const std::string good = folder.Write("sns.pem", Key().pem());
  const std::string topics = R"(topics: ["arn:aws:sns:r:1:t"])";
  EXPECT_EQ(ProblemOf("{certificates: [" + good + "], " + topics + "}"), "");
  EXPECT_THAT(ProblemOf("{" + topics + "}"), HasSubstr("without alerts.sns.certificates"));
  EXPECT_THAT(ProblemOf("{certificates: [" + good + "]}"), HasSubstr("needs alerts.sns.topics"));
  EXPECT_THAT(ProblemOf("{certificates: [" + good + "], topics: [alarms]}"), HasSubstr("its ARN"));
  EXPECT_THAT(ProblemOf("{certificates: [" + good + ".no], " + topics + "}"),
              HasSubstr("no such file"));
  EXPECT_THAT(ProblemOf("{certificates: [" + folder.Write("x.pem", "x") + "], " + topics + "}"),
              HasSubstr("x.pem: there is no certificate"));
}

}  // namespace
}  // namespace liveops::ingest
