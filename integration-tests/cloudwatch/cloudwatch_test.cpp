// What AWS would post, over HTTP to a real ingest with real Kafka and Redis: deliveries of a metric
// stream in both formats stand in the log and page, each once; an alarm by SNS pages if SNS signed
// it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <httplib.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "integration-tests/outages/ground.h"
#include "liveops/v1/metrics.pb.h"
#include "services/ingest/source/cloudwatch_alarm/sns_for_tests.h"
#include "services/ingest/source/cloudwatch_stream/stream_for_tests.h"

namespace liveops::outages {
namespace {

using ingest::cloudwatch::AsJson;
using ingest::cloudwatch::AsOtlp;
namespace sns = ingest::cloudwatch_alarm;
using nlohmann::json;
using ::testing::HasSubstr;

constexpr Duration kPageWithin{45'000};

RealTime Now() { return WallClockNow(); }

const http::SigningKey& SnsKey() {
  static const http::SigningKey key(Now() - Duration(3'600'000), Now() + Duration(3'600'000));
  return key;
}

class CloudWatch : public Ground {
 protected:
  static void SetUpTestSuite() {
    const std::string pem = FolderOf("sns.pem");
    ASSERT_TRUE(stack::WriteFile(pem, SnsKey().pem()).ok());
    stack::StackOptions options;
    options.settings[stack::Service::kIngest] = {
        {"cloudwatch.services",
         R"({"TargetGroup=targetgroup/shop-json/*": shop-json, "DBInstanceIdentifier=shop-json": shop-json,)"
         R"( "TargetGroup=targetgroup/shop-otlp/*": shop-otlp, "DBInstanceIdentifier=shop-otlp": shop-otlp})"},
        {"alerts.sns.certificates", fmt::format("[{}]", stack::Quoted(pem))},
        {"alerts.sns.topics", fmt::format("[{}]", stack::Quoted(sns::kTopic))}};
    SetUpOn(options);
    std::filesystem::remove(pem);
  }

  static httplib::Result Post(const std::string& path, const std::string& body,
                              const httplib::Headers& headers, const std::string& type) {
    httplib::Client client("http://" + Stack().service(stack::Service::kIngest).http_address());
    return client.Post(path, headers, body, type);
  }
  static void Deliver(const std::string& id, const std::string& record) {
    const json body = {{"requestId", id},
                       {"timestamp", ToMs(Now())},
                       {"records", {{{"data", http::Base64(record)}}}}};
    const auto answer =
        Post("/api/v1/cloudwatch", body.dump(),
             {{"X-Amz-Firehose-Protocol-Version", "1.0"}, {"X-Amz-Firehose-Request-Id", id}},
             "application/json");
    ASSERT_TRUE(answer) << httplib::to_string(answer.error());
    ASSERT_EQ(answer->status, 200) << answer->body;
    EXPECT_EQ(json::parse(answer->body)["requestId"], id);
  }
  static int Tell(const std::string& body) {
    const auto answer = Post("/api/v1/webhooks/cloudwatch", body, {}, "text/plain");
    return answer ? answer->status : 0;
  }

  // Errors of a load balancer's targets in a minute, told with three others of that minute.
  static std::vector<ingest::cloudwatch::Told> Minute(const std::string& service,
                                                      std::int64_t start_ms, double errors,
                                                      double connections) {
    ingest::cloudwatch::Told alb;
    alb.metric = "HTTPCode_Target_5XX_Count";
    alb.dimensions = {{"LoadBalancer", "app/edge/1"},
                      {"TargetGroup", "targetgroup/" + service + "/2"}};
    alb.start_ms = start_ms;
    alb.count = errors;
    alb.sum = errors;
    alb.min = alb.max = 1;
    ingest::cloudwatch::Told summed = alb;  // the same once more, of the whole balancer
    summed.dimensions.erase("TargetGroup");
    ingest::cloudwatch::Told rds = alb;
    rds.space = "AWS/RDS";
    rds.metric = "DatabaseConnections";
    rds.dimensions = {{"DBInstanceIdentifier", service}};
    rds.count = 1;
    rds.sum = rds.min = rds.max = connections;
    ingest::cloudwatch::Told unknown = rds;
    unknown.metric = "NobodysCount";
    return {alb, summed, rds, unknown};
  }

  using Format = std::string (*)(const std::vector<ingest::cloudwatch::Told>&);

  static void Stream(const std::string& service, Format format) {
    Apply(service, fmt::format(R"(service: {}
owners:
  on-call: {{title: On-call Engineer, slack: "#oncall", pagerduty: oncall}}
alarms:
  - {{name: hot, when: increase(http_5xx_count) over 30min > 100, severity: critical, owner: on-call}}
  - {{name: full, when: max(db_connection_count) over 30min > 80, severity: critical, owner: on-call}}
)",
                               service));
    // A plan that is new knows no time before it, so that these minutes are just over.
    const std::int64_t over = ToMs(Now());
    const std::string first = format(Minute(service, over - 60'000, 60, 40));
    // What Firehose does when an answer does not reach it.
    for (int attempt = 0; attempt < 3; ++attempt) Deliver(service + "-1", first);
    Deliver(service + "-2", format(Minute(service, over - 59'000, 50, 90)));

    std::vector<std::string> sources;
    std::vector<double> values;
    std::set<std::int64_t> times;
    ASSERT_TRUE(ReadLog(service, [&](const v1::ShardRecord& record) {
                  EXPECT_EQ(record.batch().protocol(), v1::PROTOCOL_CLOUDWATCH);
                  sources.push_back(record.source().SerializeAsString());
                  for (int i = 0; i < record.batch().point_value_size(); ++i) {
                    values.push_back(record.batch().point_value(i));
                    times.insert(record.batch().base_time_ms() +
                                 record.batch().point_time_delta_ms(i));
                  }
                }).ok());
    ASSERT_EQ(sources.size(), 4u);
    EXPECT_EQ(sources[0], sources[1]);
    EXPECT_EQ(sources[0], sources[2]);
    EXPECT_NE(sources[0], sources[3]);
    EXPECT_THAT(values, testing::UnorderedElementsAre(60, 40, 60, 40, 60, 40, 50, 90));
    EXPECT_THAT(times, testing::ElementsAre(over, over + 1000));

    ASSERT_TRUE(Await(kPageWithin, [&] { return ToldOf(service).opened == 2; }))
        << ToldOf(service).all;
    ASSERT_TRUE(AwaitState(service + "/hot", kFiring));
    auto alarms = Alarms();
    // A minute's errors lie in several panes, and the sum of their parts is rounded.
    EXPECT_NEAR(alarms[service + "/hot"].value, 110, 1e-9)
        << "each delivery once, of the target group";
    EXPECT_EQ(alarms[service + "/full"].value, 90);
    EXPECT_EQ(ToldOf(service).triggers, 2) << ToldOf(service).all;
  }
};

TEST_F(CloudWatch, AStreamInJsonPagesAndARepeatCountsOnce) { Stream("shop-json", AsJson); }
TEST_F(CloudWatch, AStreamInOtlpPagesAndARepeatCountsOnce) { Stream("shop-otlp", AsOtlp); }

TEST_F(CloudWatch, AnAlarmPagesIfSnsSignedIt) {
  const std::string service = "shop-sns";
  ApplyOnly(service, fmt::format(R"(service: {}
owners:
  on-call: {{title: On-call Engineer, slack: "#oncall", pagerduty: oncall}}
foreign_alerts: {{owner: on-call}}
)",
                                 service));
  const auto message = [&](const std::string& name, const std::string& state) {
    return json({{"AlarmName", name},
                 {"AlarmDescription", "service=" + service + " severity=critical"},
                 {"NewStateValue", state},
                 {"NewStateReason", "CPU of " + service + " in " + name}})
        .dump();
  };
  const http::SigningKey forger(Now() - Duration(3'600'000), Now() + Duration(3'600'000));
  EXPECT_EQ(Tell(sns::SignedBy(forger, sns::Notification(message("forged", "ALARM"), Now()))), 403);
  EXPECT_EQ(Tell(json(sns::Notification(message("unsigned", "ALARM"), Now())).dump()), 400);
  EXPECT_EQ(Tell(sns::SignedBy(
                SnsKey(), sns::Notification(message("old", "ALARM"), Now() - Duration(3'700'000)))),
            403);
  EXPECT_EQ(Tell(sns::SignedBy(SnsKey(), sns::Notification(message("cpu", "ALARM"), Now()), "1")),
            200);
  ASSERT_TRUE(Await(kPageWithin, [&] { return ToldOf(service).opened == 1; }))
      << ToldOf(service).all;
  EXPECT_THAT(ToldOf(service).all, HasSubstr("cpu"));
  EXPECT_EQ(Tell(sns::SignedBy(SnsKey(), sns::Notification(message("cpu", "OK"), Now()))), 200);
  ASSERT_TRUE(Await(kPageWithin, [&] { return ToldOf(service).resolves == 1; }))
      << ToldOf(service).all;
  const Told told = ToldOf(service);
  EXPECT_EQ(told.triggers, 1) << told.all;
  for (const char* name : {"forged", "unsigned", "old"})
    EXPECT_THAT(told.all, testing::Not(HasSubstr(name)));
}

}  // namespace
}  // namespace liveops::outages
