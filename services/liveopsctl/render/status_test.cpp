#include "services/liveopsctl/render/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops::ctl {
namespace {

std::vector<ServiceReport> Reports() {
  ServiceReport good{.service = "ingest",
                     .address = "127.0.0.1:7401",
                     .answered = true,
                     .error = "",
                     .status = {}};
  good.status.set_ready(true);
  good.status.set_version("0.1.0");
  good.status.set_uptime_ms(3'720'000);
  good.status.set_kafka_connected(true);
  good.status.set_redis_connected(true);
  good.status.set_domain_speed(1);
  ServiceReport behind{.service = "rule-evaluation",
                       .address = "127.0.0.1:7402",
                       .answered = true,
                       .error = "",
                       .status = {}};
  behind.status.set_version("0.1.0");
  behind.status.set_uptime_ms(4'000);
  behind.status.set_kafka_connected(true);
  behind.status.set_detail("replaying");
  behind.status.set_domain_speed(20);
  v1::PartitionStatus* p = behind.status.add_partitions();
  p->set_topic("liveops.metrics.v1");
  p->set_partition(3);
  p->set_owned(true);
  p->set_epoch(17);
  p->set_position(100);
  p->set_end_offset(350);
  p->set_clock_ms(1770196500000);
  v1::PartitionStatus* unknown = behind.status.add_partitions();
  unknown->set_topic("liveops.metrics.v1");
  unknown->set_partition(4);
  unknown->set_epoch(-1);
  unknown->set_position(-1001);
  unknown->set_end_offset(9);
  ServiceReport away{.service = "notifier",
                     .address = "127.0.0.1:7403",
                     .answered = false,
                     .error = "cannot reach notifier at 127.0.0.1:7403: connection refused",
                     .status = {}};
  ServiceReport missing{.service = "remediation",
                        .address = "",
                        .answered = false,
                        .error = "no address for remediation",
                        .status = {}};
  return {good, behind, away, missing};
}

TEST(RenderStatus, OneTableOfAllFour) {
  EXPECT_EQ(
      RenderStatus(Reports(), false, {}),
      "SERVICE          ADDRESS         STATE       VERSION  UP       KAFKA  REDIS  OWNED  LAG  "
      "REMARK\n"
      "ingest           127.0.0.1:7401  ready       0.1.0    1h 2min  yes    yes    0      0    -\n"
      "rule-evaluation  127.0.0.1:7402  NOT READY   0.1.0    4s       yes    NO     1      250  "
      "replaying; time runs "
      "20 times as fast\n"
      "notifier         127.0.0.1:7403  NO ANSWER   -        -        -      -      -      -    "
      "cannot reach notifier at "
      "127.0.0.1:7403: connection refused\n"
      "remediation      -               no address  -        -        -      -      -      -    no "
      "address for "
      "remediation\n");
}

TEST(RenderStatus, Partitions) {
  EXPECT_THAT(
      RenderStatus(Reports(), true, {}),
      ::testing::HasSubstr(
          "SERVICE          TOPIC               PARTITION  OWNED  EPOCH  POSITION  END  LAG  "
          "CLOCK\n"
          "rule-evaluation  liveops.metrics.v1  3          yes    17     100       350  250  "
          "2026-02-04T09:15:00Z\n"
          "rule-evaluation  liveops.metrics.v1  4          no     -      -1001     9    0    -\n"));
}

TEST(StatusJson, IsOneDocumentWithStableNames) {
  const std::string json = StatusJson(Reports());
  EXPECT_THAT(json,
              ::testing::StartsWith(
                  "{\"ready\":false,\"services\":[{\"service\":\"ingest\",\"address\":"
                  "\"127.0.0.1:7401\",\"answered\":true,\"ready\":true,\"lag\":0,\"error\":\"\","
                  "\"status\":{"));
  EXPECT_THAT(json, ::testing::HasSubstr(
                        "\"answered\":false,\"ready\":false,\"lag\":0,\"error\":\"cannot reach"));
  EXPECT_THAT(json, ::testing::EndsWith("\"status\":null}]}\n"));
}

}  // namespace
}  // namespace liveops::ctl
