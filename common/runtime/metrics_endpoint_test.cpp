#include "common/runtime/metrics_endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include "common/rpc/certificates_for_tests.h"

namespace liveops::runtime {
namespace {

using testing::HasSubstr;
using testing::Not;

void DescribeSome(v1::GetStatusResponse& status, metrics::List& list) {
  status.set_service("ingest");
  status.set_version("0.1.0");
  status.set_uptime_ms(1'500);
  status.set_ready(true);
  v1::PartitionStatus& owned = *status.add_partitions();
  owned.set_topic("liveops.metrics.v1");
  owned.set_partition(3);
  owned.set_owned(true);
  owned.set_position(40);
  owned.set_end_offset(42);
  v1::PartitionStatus& other = *status.add_partitions();
  other.set_topic("liveops.metrics.v1");
  other.set_partition(4);
  list.Counter("ingest_requests_total", "Requests that came.", 7, "requests");
}

TEST(FillStatus, ItsCountersAreThoseOfTheList) {
  v1::GetStatusResponse status;
  FillStatus(DescribeSome, status);
  EXPECT_EQ(status.service(), "ingest");
  ASSERT_EQ(status.counters_size(), 1);
  EXPECT_EQ(status.counters().at("requests"), 7);
}

TEST(MetricsEndpoint, ThereIsNoneWithoutAnAddress) {
  const auto endpoint = MetricsEndpoint::Start({}, DescribeSome);
  ASSERT_TRUE(endpoint.ok());
  EXPECT_EQ(PortOf(*endpoint), 0);
}

TEST(MetricsEndpoint, OnLoopbackWhoeverAsksIsToldTheStatusAndTheList) {
  CommonConfig config;
  config.metrics_address = "127.0.0.1:0";
  const auto endpoint = MetricsEndpoint::Start(config, DescribeSome);
  ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
  httplib::Client client("127.0.0.1", PortOf(*endpoint));
  const auto answer = client.Get("/metrics");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  for (const char* line :
       {"# TYPE liveops_ingest_requests_total counter\nliveops_ingest_requests_total 7\n",
        "liveops_build_info{service=\"ingest\",version=\"0.1.0\"} 1\n", "liveops_ready 1\n",
        "liveops_kafka_connected 0\n", "liveops_uptime_seconds 1.5\n",
        "liveops_partition_owned{topic=\"liveops.metrics.v1\",partition=\"3\"} 1\n",
        "liveops_partition_owned{topic=\"liveops.metrics.v1\",partition=\"4\"} 0\n",
        "liveops_partition_lag_records{topic=\"liveops.metrics.v1\",partition=\"3\"} 2\n"}) {
    EXPECT_THAT(answer->body, HasSubstr(line));
  }
  EXPECT_THAT(answer->body,
              Not(HasSubstr("lag_records{topic=\"liveops.metrics.v1\",partition=\"4")))
      << "who does not own it cannot be behind";
  EXPECT_EQ(client.Get("/")->status, 404);
  EXPECT_EQ(client.Post("/metrics", "", "text/plain")->status, 405);
}

// On every other address a certificate is asked for, and one that may view.
TEST(MetricsEndpoint, BeyondLoopbackOnlyViewersAreTold) {
  const rpc::Certificates certificates;
  CommonConfig config;
  config.metrics_address = "0.0.0.0:0";
  config.grpc.tls = certificates.Files("server");
  const auto endpoint = MetricsEndpoint::Start(config, DescribeSome);
  ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
  const auto status = [&](const std::string& who) {
    const rpc::TlsFiles files = certificates.Files(who);
    httplib::SSLClient client("127.0.0.1", PortOf(*endpoint), files.cert, files.key);
    client.set_ca_cert_path(files.ca.c_str());
    client.enable_server_certificate_verification(true);
    const auto answer = client.Get("/metrics");
    return answer ? answer->status : 0;
  };
  EXPECT_EQ(status("viewer"), 200);
  EXPECT_EQ(status("operator"), 200);
  EXPECT_EQ(status("emitter"), 403);
  EXPECT_EQ(status("nobody"), 403);
  EXPECT_EQ(status("intruder"), 0) << "of another authority: the handshake fails";
  httplib::Client plain("127.0.0.1", PortOf(*endpoint));
  const auto answer = plain.Get("/metrics");
  EXPECT_FALSE(answer && answer->status == 200);
}

}  // namespace
}  // namespace liveops::runtime
