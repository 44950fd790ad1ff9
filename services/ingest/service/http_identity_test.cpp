// Who calls over mutual TLS is whom the certificate names, with its role and services.
#include "common/rpc/certificates_for_tests.h"
#include "remote_write_1.pb.h"
#include "services/ingest/service/http_for_tests.h"

namespace liveops::ingest {
namespace {

class HttpIdentity : public Http {
 protected:
  void Start(bool tokens) {
    front_.reset();
    HttpSettings settings;
    settings.address = "127.0.0.1:0";
    settings.threads = 2;
    if (tokens) settings.tokens = {{"agent", "0123456789abcdef", {}}};
    auto front = HttpFront::Start(
        MakeHttpRoutes(*world_.core, *spans_, logs_->intake, settings), settings,
        certificates().Files("server"), [](const std::string&) { return Duration(1'000); },
        [this](int status) { world_.core->CountDeniedCall(status); });
    ASSERT_TRUE(front.ok()) << front.error().message;
    front_ = *std::move(front);
  }
  // The status that a write as this certificate's owner is answered with; 0 = the handshake failed.
  int Write(const std::string& name, const httplib::Headers& headers = {}) {
    prometheus::WriteRequest request;
    auto& series = *request.add_timeseries();
    for (const auto& [label_name, value] :
         {std::pair("__name__", "cpu"), std::pair("job", "shop")}) {
      auto& label = *series.add_labels();
      label.set_name(label_name);
      label.set_value(value);
    }
    series.add_samples()->set_timestamp(kNow);
    const rpc::TlsFiles files = name.empty() ? rpc::TlsFiles() : certificates().Files(name);
    httplib::SSLClient client("127.0.0.1", front_->port(), files.cert, files.key);
    client.set_ca_cert_path(certificates().Path("ca.crt").c_str());
    const auto answer = client.Post("/api/v1/write", headers, Snappy(request.SerializeAsString()),
                                    "application/x-protobuf");
    return answer ? answer->status : 0;
  }
  static const rpc::Certificates& certificates() {
    static const rpc::Certificates made;
    return made;
  }
};

TEST_F(HttpIdentity, ACertificatesRoleSaysWhoMayWrite) {
  Start(false);
  EXPECT_EQ(Write("emitter"), 204);
  ASSERT_EQ(world_.producer.count(), 1u);
  EXPECT_EQ(world_.Sent(0).source().emitter(), "emitter");
  for (const char* name : {"viewer", "operator", "approver", "nobody", "pretender", "tied"})
    EXPECT_EQ(Write(name), 403) << name;
  EXPECT_EQ(Counter("http_calls_denied.403"), 6);
  for (const char* name : {"", "intruder", "late"}) EXPECT_EQ(Write(name), 0) << name;
  EXPECT_EQ(world_.producer.count(), 1u);
}

TEST_F(HttpIdentity, ATokenStandsForACertificateThatIsNotShown) {
  Start(true);
  EXPECT_EQ(Write("emitter"), 204);
  EXPECT_EQ(Write(""), 401);
  EXPECT_EQ(Write("", {{"Authorization", "Bearer fedcba9876543210"}}), 401);
  EXPECT_EQ(Counter("http_calls_denied.401"), 2);
  EXPECT_EQ(Counter("http_calls_denied.403"), 0);
  EXPECT_EQ(Write("", {{"Authorization", "Bearer 0123456789abcdef"}}), 204);
  EXPECT_EQ(world_.Sent(1).source().emitter(), "agent");
  EXPECT_EQ(Write("viewer", {{"Authorization", "Bearer 0123456789abcdef"}}), 403)
      << "who shows one is whom it names";
  EXPECT_EQ(Write("intruder"), 0);
}

}  // namespace
}  // namespace liveops::ingest
