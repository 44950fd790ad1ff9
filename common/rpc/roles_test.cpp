#include "common/rpc/roles.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include "liveops/v1/alarms.pb.h"
#include "liveops/v1/ingest.pb.h"
#include "liveops/v1/notifications.pb.h"
#include "liveops/v1/plans.pb.h"
#include "liveops/v1/remediations.pb.h"
#include "liveops/v1/status.pb.h"

namespace liveops::rpc {
namespace {

using testing::HasSubstr;

TEST(RoleTable, ListsExactlyTheMethodsOfOurServices) {
  std::set<std::string> methods;
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  for (const char* name : {"Alarms", "Plans", "Ingest", "Emitters", "Spans", "Notifications",
                           "Remediations", "Status"}) {
    const auto* service = pool->FindServiceByName(std::string("liveops.v1.") + name);
    ASSERT_TRUE(service) << name;
    EXPECT_TRUE(CheckListed(*service).ok()) << name;
    for (int i = 0; i < service->method_count(); ++i) {
      methods.insert("/" + service->full_name() + "/" + service->method(i)->name());
    }
  }
  methods.insert("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export");
  methods.insert("/opentelemetry.proto.collector.trace.v1.TraceService/Export");
  methods.insert("/opentelemetry.proto.collector.logs.v1.LogsService/Export");
  std::set<std::string> listed;
  for (const auto& [method, role] : RoleTable()) listed.insert(method);
  EXPECT_EQ(methods, listed);
}

TEST(RoleTable, AnUnlistedMethodIsNamed) {
  google::protobuf::FileDescriptorProto file;
  file.set_name("unlisted.proto");
  file.set_package("liveops.v1");
  file.add_message_type()->set_name("Nothing");
  auto* service = file.add_service();
  service->set_name("Status");
  for (const char* name : {"GetStatus", "Reset"}) {
    auto* method = service->add_method();
    method->set_name(name);
    method->set_input_type(".liveops.v1.Nothing");
    method->set_output_type(".liveops.v1.Nothing");
  }
  google::protobuf::DescriptorPool pool;
  const auto* built = pool.BuildFile(file);
  ASSERT_TRUE(built);
  const Status status = CheckListed(*built->service(0));
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("/liveops.v1.Status/Reset"));
  EXPECT_EQ(status.error().message.find("GetStatus"), std::string::npos);
}

TEST(RoleTable, OperatorsAndApproversAreNotEachOther) {
  EXPECT_TRUE(Grants({Role::kOperator}, Role::kViewer));
  EXPECT_TRUE(Grants({Role::kApprover}, Role::kViewer));
  EXPECT_FALSE(Grants({Role::kOperator}, Role::kApprover));
  EXPECT_FALSE(Grants({Role::kApprover}, Role::kOperator));
  EXPECT_FALSE(Grants({Role::kEmitter}, Role::kViewer));
  EXPECT_FALSE(Grants({}, Role::kViewer));
}

TEST(RoleTable, OpenMethodsAreHealthAndReflectionAlone) {
  EXPECT_TRUE(IsOpenMethod("/grpc.health.v1.Health/Check"));
  EXPECT_FALSE(IsOpenMethod("/grpc.health.v1.Health"));
  EXPECT_FALSE(IsOpenMethod("/grpc.health.v1.HealthX/Check"));
  EXPECT_FALSE(IsOpenMethod("/liveops.v1.Ingest/Write"));
  EXPECT_FALSE(IsOpenMethod(""));
  EXPECT_FALSE(IsOpenMethod("/"));
}

}  // namespace
}  // namespace liveops::rpc
