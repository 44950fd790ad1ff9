// A metric stream of CloudWatch whose minutes come two minutes late, under a plan that is older
// than they are: on a real Kafka and Redis, as Firehose would post them. Domain time runs 20 times
// as fast, in which a delivery is that of a minute all the same.
#include <fmt/format.h>
#include <httplib.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "common/http/signing_for_tests.h"
#include "integration-tests/outages/ground.h"
#include "integration-tests/promises/evaluation_log.h"
#include "services/ingest/source/cloudwatch_stream/stream_for_tests.h"

namespace liveops::promises {
namespace {

using nlohmann::json;
using outages::Ground;

constexpr double kSpeed = 20;
constexpr Duration kMinute{60'000 / static_cast<int>(kSpeed)};
constexpr const char* kService = "late";

class Lateness : public Ground {
 public:
  static void SetUpTestSuite() {
    stack::StackOptions options;
    options.domain_speed = kSpeed;
    options.settings[stack::Service::kIngest] = {
        {"cloudwatch.services", fmt::format(R"({{"DBInstanceIdentifier={0}": {0}}})", kService)}};
    SetUpOn(options);
  }

 protected:
  // What there was two minutes ago.
  static void Deliver(int number, double connections) {
    ingest::cloudwatch::Told rds;
    rds.space = "AWS/RDS";
    rds.metric = "DatabaseConnections";
    rds.dimensions = {{"DBInstanceIdentifier", kService}};
    constexpr std::int64_t kPeriodMs = 60'000;  // of JSON it is taken for that
    rds.start_ms = ToMs(WallClockNow() - 2 * kMinute) - kPeriodMs;
    rds.count = 1;
    rds.sum = rds.min = rds.max = connections;
    const std::string id = fmt::format("delivery-{}", number);
    const json body = {{"requestId", id},
                       {"timestamp", ToMs(WallClockNow())},
                       {"records", {{{"data", http::Base64(ingest::cloudwatch::AsJson({rds}))}}}}};
    httplib::Client client("http://" + Stack().service(stack::Service::kIngest).http_address());
    const auto answer =
        client.Post("/api/v1/cloudwatch",
                    {{"X-Amz-Firehose-Protocol-Version", "1.0"}, {"X-Amz-Firehose-Request-Id", id}},
                    body.dump(), "application/json");
    ASSERT_TRUE(answer) << httplib::to_string(answer.error());
    ASSERT_EQ(answer->status, 200) << answer->body;
  }
};

TEST_F(Lateness, OfAStreamIsWaitedForThoughThePlanIsOlderThanItsFirstMinute) {
  const std::string alarm = std::string(kService) + "/hot";
  // Few are seen at the watermark alone: more may be on their way.
  Apply(kService, PlanOf(kService, "max(db_connection_count) over 2min < 5"));
  ASSERT_FALSE(HasFailure());
  std::this_thread::sleep_for(5 * kMinute);
  int minute = 0;
  for (; minute < 5; ++minute) {
    Deliver(minute, 40);
    std::this_thread::sleep_for(kMinute);
  }
  EXPECT_EQ(ToldOf(kService).opened, 0) << ToldOf(kService).all;
  for (; minute < 30 && ToldOf(kService).opened == 0 && !HasFailure(); ++minute) {
    Deliver(minute, 2);
    std::this_thread::sleep_for(kMinute);
  }
  ASSERT_EQ(ToldOf(kService).opened, 1) << ToldOf(kService).all << Alarms()[alarm].state;

  const auto log = promises::InLog(Stack());
  ASSERT_TRUE(log.ok()) << log.error().message;
  ASSERT_EQ(Story(*log, alarm), "FIRING crossed\n");
  const v1::AlarmTransition fired = OfAlarm(*log, alarm).front().transition;
  EXPECT_EQ(fired.value(), 2);
  EXPECT_GE(fired.clock_ms() - fired.window_end_ms(), 300'000) << "a stream may be 5 min late";
}

}  // namespace
}  // namespace liveops::promises
