// One conformance for every source of alerts: what fires is written as firing, what is over as
// over, and nothing else is taken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "common/base/text.h"
#include "services/ingest/service/http_for_tests.h"

namespace liveops::ingest {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

struct Source {
  const char* word;
  const char* path;
  std::string fires;    // of the service "shop"
  std::string over;     // the same alert
  std::string other;    // the same, of the service "bank"
  std::string nobodys;  // names no service
  std::string name;     // of the alarm
  std::string spelled;  // as the body has it
  std::string severity;
  std::string link;
  bool stands;  // until it is taken back
};

std::ostream& operator<<(std::ostream& out, const Source& source) { return out << source.word; }

std::string With(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

Source Alertmanager() {
  const std::string fires =
      R"([{"labels":{"alertname":"Down","service":"shop","pod":"a","severity":"page"},)"
      R"("annotations":{"summary":"s"},"startsAt":")" +
      FormatUtc(kNow - 60'000) + R"(","endsAt":")" + FormatUtc(kNow + 240'000) +
      R"(","generatorURL":"https://judge/1","new":{"x":[1]}}])";
  return {"alertmanager",
          "/api/v2/alerts",
          fires,
          With(fires, FormatUtc(kNow + 240'000), FormatUtc(kNow - 1000)),
          With(fires, "shop", "bank"),
          With(fires, "\"service\":\"shop\",", ""),
          "Down",
          "Down",
          "page",
          "https://judge/1",
          false};
}

Source Datadog() {
  const std::string fires =
      R"({"alert_id":"mon77","title":"s","transition":"Triggered","scope":"host:a","tags":"service:shop, x:y",)"
      R"("priority":"P1","type":"error","link":"https://judge/1","date":")" +
      std::to_string(kNow - 60'000) + R"(","body":"b","new":[1]})";
  return {"datadog",
          "/api/v1/webhooks/datadog",
          fires,
          With(fires, "Triggered", "Recovered"),
          With(fires, "shop", "bank"),
          With(fires, "service:shop, ", ""),
          "monitor-mon77",
          "mon77",
          "P1",
          "https://judge/1",
          true};
}

Source NewRelic() {
  const std::string fires =
      R"({"id":"i-1","issueUrl":"https://judge/1","title":"s","priority":"CRITICAL","state":"ACTIVATED",)"
      R"("createdAt":)" +
      std::to_string(kNow - 60'000) + R"(,"updatedAt":)" + std::to_string(kNow - 1000) +
      R"(,"alertConditionNames":["Memory high"],"alertPolicyNames":["p"],"service":"shop","new":{}})";
  return {"newrelic",
          "/api/v1/webhooks/newrelic",
          fires,
          With(fires, "ACTIVATED", "CLOSED"),
          With(fires, "shop", "bank"),
          With(fires, ",\"service\":\"shop\"", ""),
          "Memory high",
          "Memory high",
          "CRITICAL",
          "https://judge/1",
          true};
}

std::string Enveloped(const std::string& message) {
  return json({{"Type", "Notification"},
               {"MessageId", "m"},
               {"TopicArn", "arn:aws:sns:r:1:t"},
               {"Message", message},
               {"Signature", "x"}})
      .dump();
}

Source CloudWatch() {
  const std::string fires =
      R"({"AlarmName":"cpu","AlarmDescription":"CPU of it service=shop severity=critical","AWSAccountId":"1",)"
      R"("Region":"EU West","NewStateValue":"ALARM","NewStateReason":"s","OldStateValue":"OK",)"
      R"("StateChangeTime":")" +
      With(FormatUtc(kNow - 60'000), "Z", "+0000") +
      R"(","Trigger":{"MetricName":"CPUUtilization"}})";
  return {"cloudwatch",
          "/api/v1/webhooks/cloudwatch",
          Enveloped(fires),
          Enveloped(With(fires, "\"ALARM\"", "\"OK\"")),
          Enveloped(With(fires, "shop", "bank")),
          Enveloped(With(fires, "service=shop", "")),
          "cpu",
          "cpu",
          "critical",
          "",
          true};
}

class AlertSources : public Http, public testing::WithParamInterface<Source> {
 protected:
  httplib::Result Tell(const std::string& body, const httplib::Headers& headers = {}) {
    return Post(GetParam().path, body, "application/json", headers);
  }
  v1::ExternalAlert Alert(std::size_t i) {
    EXPECT_TRUE(world_.Sent(i).has_alert());
    return world_.Sent(i).alert();
  }
};

TEST_P(AlertSources, FiresAndIsOver) {
  const Source& source = GetParam();
  const auto fires = Tell(source.fires);
  ASSERT_EQ(fires->status, 200) << fires->body;
  ASSERT_EQ(world_.producer.sent.size(), 1u);
  const v1::ExternalAlert alert = Alert(0);
  EXPECT_EQ(alert.service(), "shop");
  EXPECT_EQ(alert.source(), source.word);
  EXPECT_EQ(alert.name(), source.name);
  EXPECT_EQ(alert.severity(), source.severity);
  EXPECT_EQ(alert.summary(), "s");
  EXPECT_EQ(alert.link(), source.link);
  EXPECT_TRUE(alert.firing());
  EXPECT_EQ(alert.starts_ms(), kNow - 60'000);
  EXPECT_EQ(alert.valid_until_ms(), source.stands ? 0 : kNow + 240'000);
  for (const v1::Label& label : alert.labels()) EXPECT_NE(label.name(), "service");
  const auto over = Tell(source.over);
  ASSERT_EQ(over->status, 200) << over->body;
  const v1::ExternalAlert end = Alert(1);
  EXPECT_FALSE(end.firing());
  EXPECT_LE(end.valid_until_ms(), kNow);
  EXPECT_GE(end.valid_until_ms(), kNow - 60'000);
  // It is the same one.
  EXPECT_EQ(end.name(), alert.name());
  ASSERT_EQ(end.labels_size(), alert.labels_size());
  for (int i = 0; i < end.labels_size(); ++i)
    EXPECT_EQ(end.labels(i).SerializeAsString(), alert.labels(i).SerializeAsString());
  EXPECT_EQ(Counter("alerts"), 2);
}

TEST_P(AlertSources, EachRecordStandsInTheHomeAndIsTheFirstOfItsKind) {
  ASSERT_EQ(Tell(GetParam().fires)->status, 200);
  ASSERT_EQ(Tell(GetParam().fires)->status, 200) << "repeated is no mistake";
  ASSERT_EQ(world_.producer.sent.size(), 2u);
  EXPECT_EQ(world_.producer.sent[0].partition, PartitionOf("shop", 4));
  EXPECT_NE(world_.Sent(0).source().sequence(), world_.Sent(1).source().sequence());
}

TEST_P(AlertSources, WhatIsMalformedIsSaid) {
  for (const std::string& body :
       {std::string(), std::string("x"), std::string("{}"), std::string("7"),
        GetParam().fires.substr(0, GetParam().fires.size() / 2)}) {
    const auto answer = Tell(body);
    EXPECT_EQ(answer->status, 400) << body;
    EXPECT_TRUE(json::parse(answer->body).is_string()) << answer->body;
  }
  EXPECT_EQ(Tell(GetParam().fires, {{"Content-Encoding", "gzip"}})->status, 415);
  EXPECT_EQ(world_.producer.sent.size(), 0u);
  EXPECT_EQ(Counter("refused_alerts"), 6) << "each request as one";
}

TEST_P(AlertSources, TooLarge) {
  EXPECT_EQ(Tell(std::string((1 << 20) + 1, ' '))->status, 413);
  EXPECT_EQ(Tell(With(GetParam().fires, GetParam().spelled, std::string(3000, 'n')))->status, 400);
  EXPECT_EQ(world_.producer.sent.size(), 0u);
}

TEST_P(AlertSources, AServiceMustBeNamedAndBeTheCallers) {
  EXPECT_THAT(Tell(GetParam().nobodys)->body, HasSubstr("no label names its service"));
  settings_.tokens = {{"judge", "0123456789abcdef", {"shop"}}};
  Serve();
  const auto nobody = Tell(GetParam().fires);
  EXPECT_EQ(nobody->status, 401);
  EXPECT_TRUE(json::parse(nobody->body).is_string()) << nobody->body;
  EXPECT_EQ(Counter("refused_alerts"), 2) << "an alert of nobody's pages nobody";
  const httplib::Headers token = {{"Authorization", "Bearer 0123456789abcdef"}};
  EXPECT_EQ(Tell(GetParam().other, token)->status, 403);
  EXPECT_EQ(world_.producer.sent.size(), 0u);
  EXPECT_EQ(Tell(GetParam().fires, token)->status, 200);
  // Who may write one service alone means it.
  EXPECT_EQ(Tell(GetParam().nobodys, token)->status, 200);
  EXPECT_EQ(Alert(1).service(), "shop");
  const httplib::Headers basic = {{"Authorization", "Basic anVkZ2U6MDEyMzQ1Njc4OWFiY2RlZg=="}};
  EXPECT_EQ(Tell(GetParam().fires, basic)->status, 200);
  const httplib::Headers wrong = {{"Authorization", "Basic anVkZ2Y6MDEyMzQ1Njc4OWFiY2RlZg=="}};
  const auto refused = Tell(GetParam().fires, wrong);
  EXPECT_EQ(refused->status, 401) << "another's name";
  EXPECT_THAT(refused->body, HasSubstr("not known"));
  EXPECT_EQ(Counter("refused_alerts"), 4);
}

TEST_P(AlertSources, NothingIsAnsweredBeforeKafkaAcknowledged) {
  world_.producer.mode = FakeProducer::Mode::kFail;
  const auto answer = Tell(GetParam().fires);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->get_header_value("Retry-After"), "1");
  world_.producer.is_connected = false;
  EXPECT_EQ(Tell(GetParam().fires)->status, 503);
}

INSTANTIATE_TEST_SUITE_P(All, AlertSources,
                         testing::Values(Alertmanager(), Datadog(), NewRelic(), CloudWatch()),
                         [](const auto& one) { return std::string(one.param.word); });

class AlertWays : public Http {};

TEST_F(AlertWays, OfSeveralEachIsCheckedOnItsOwn) {
  const auto answer = Post(
      "/api/v2/alerts",
      R"([{"labels":{"alertname":"A","job":"shop"}},{"labels":{"job":"shop"}},)"
      R"({"labels":{"alertname":"B","job":"shop","x\u0001":"y"}},{"labels":{"alertname":"C"}}])",
      "application/json");
  EXPECT_EQ(answer->status, 400);
  EXPECT_THAT(answer->body, HasSubstr("alert 2: has no label alertname"));
  EXPECT_THAT(answer->body, HasSubstr("control characters"));
  EXPECT_THAT(answer->body,
              HasSubstr("no label names its service; one of them must: service, job"));
  ASSERT_EQ(world_.producer.sent.size(), 1u);
  const v1::ExternalAlert alert = world_.Sent(0).alert();
  EXPECT_EQ(alert.name(), "A");
  EXPECT_EQ(alert.service(), "shop");
  EXPECT_EQ(alert.labels_size(), 0);
  EXPECT_NEAR(static_cast<double>(alert.starts_ms()), kNow, 5000);
  EXPECT_EQ(alert.valid_until_ms() - alert.starts_ms(), 300'000)
      << "Alertmanager's resolve_timeout";
  EXPECT_EQ(Counter("refused_alerts"), 3);
}

TEST_F(AlertWays, WhatAmtoolAsksIsAnswered) {
  httplib::Client client("127.0.0.1", front_->plain_port());
  const auto status = client.Get("/api/v2/status");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->status, 200);
  EXPECT_TRUE(json::parse(status->body)["versionInfo"]["version"].is_string());
  const auto list = client.Get("/api/v2/alerts?active=true");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->status, 400);
  EXPECT_THAT(list->body, HasSubstr("liveopsctl alarms list"));
}

// https://NAME:TOKEN@host/…: each message comes without them first.
TEST_F(AlertWays, SnsIsAskedForItsNameAndToken) {
  settings_.tokens = {{"judge", "0123456789abcdef", {"shop"}}};
  Serve();
  httplib::Headers headers = {{"X-Amz-Sns-Message-Type", "Notification"}};
  const auto asked = Post(CloudWatch().path, CloudWatch().fires, "text/plain", headers);
  EXPECT_EQ(asked->status, 401);
  EXPECT_EQ(asked->get_header_value("WWW-Authenticate"), "Basic realm=\"LiveOps\"");
  EXPECT_EQ(Counter("refused_alerts"), 0) << "it comes again at once";
  headers.emplace("Authorization", "Basic anVkZ2U6MDEyMzQ1Njc4OWFiY2RlZg==");
  EXPECT_EQ(Post(CloudWatch().path, CloudWatch().fires, "text/plain", headers)->status, 200);
  EXPECT_EQ(Counter("alerts"), 1);
  headers.erase("Authorization");
  headers.emplace("Authorization", "Basic anVkZ2U6eA==");
  EXPECT_EQ(Post(CloudWatch().path, CloudWatch().fires, "text/plain", headers)->status, 401);
  EXPECT_EQ(Counter("refused_alerts"), 1);
}

// Who may post says so itself; what it says is not fetched.
TEST_F(AlertWays, SnsIsNotConfirmedBlindly) {
  const auto answer = Post("/api/v1/webhooks/cloudwatch",
                           R"({"Type":"SubscriptionConfirmation","TopicArn":"arn:aws:sns:r:1:t",)"
                           R"("Token":"t","SubscribeURL":"http://127.0.0.1:1/x"})",
                           "text/plain");
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->body, HasSubstr("waits for a person"));
  EXPECT_EQ(
      Post("/api/v1/webhooks/cloudwatch",
           Enveloped(R"({"AlarmName":"a","NewStateValue":"INSUFFICIENT_DATA"})"), "text/plain")
          ->status,
      200);
  EXPECT_EQ(world_.producer.sent.size(), 0u);
}

}  // namespace
}  // namespace liveops::ingest
