#include "common/rpc/roles.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>

namespace liveops::rpc {
namespace {

std::string MethodPath(const google::protobuf::MethodDescriptor& method) {
  return "/" + method.service()->full_name() + "/" + method.name();
}

}  // namespace

std::optional<Role> ParseRole(std::string_view word) {
  for (const Role role : {Role::kEmitter, Role::kViewer, Role::kOperator, Role::kApprover}) {
    if (word == RoleName(role)) return role;
  }
  return std::nullopt;
}

const char* RoleName(Role role) {
  switch (role) {
    case Role::kEmitter:
      return "emitter";
    case Role::kViewer:
      return "viewer";
    case Role::kOperator:
      return "operator";
    case Role::kApprover:
      return "approver";
  }
  return "unknown";
}

const std::map<std::string, Role>& RoleTable() {
  static const auto* const table = new std::map<std::string, Role>{
      {"/liveops.v1.Ingest/Write", Role::kEmitter},
      {"/liveops.v1.Ingest/WriteStream", Role::kEmitter},
      {"/liveops.v1.Ingest/WriteSeries", Role::kEmitter},
      {"/liveops.v1.Ingest/ReportDeployment", Role::kEmitter},
      {"/liveops.v1.Ingest/Decommission", Role::kEmitter},
      {"/liveops.v1.Emitters/ListEmitters", Role::kViewer},
      {"/liveops.v1.Spans/ListSlowestSpans", Role::kViewer},
      {"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", Role::kEmitter},
      {"/opentelemetry.proto.collector.trace.v1.TraceService/Export", Role::kEmitter},
      {"/opentelemetry.proto.collector.logs.v1.LogsService/Export", Role::kEmitter},

      {"/liveops.v1.Alarms/ListAlarms", Role::kViewer},
      {"/liveops.v1.Alarms/WatchAlarms", Role::kViewer},
      {"/liveops.v1.Alarms/ExplainAlarm", Role::kViewer},
      {"/liveops.v1.Alarms/ExplainAlarmAt", Role::kViewer},

      {"/liveops.v1.Plans/CheckPlan", Role::kViewer},
      {"/liveops.v1.Plans/ApplyPlan", Role::kOperator},
      {"/liveops.v1.Plans/GetPlan", Role::kViewer},
      {"/liveops.v1.Plans/ListPlans", Role::kViewer},

      {"/liveops.v1.Notifications/Acknowledge", Role::kOperator},
      {"/liveops.v1.Notifications/ListDeliveries", Role::kViewer},

      {"/liveops.v1.Remediations/ListRemediations", Role::kViewer},
      {"/liveops.v1.Remediations/GetRemediation", Role::kViewer},
      {"/liveops.v1.Remediations/ApproveRemediation", Role::kApprover},
      {"/liveops.v1.Remediations/DenyRemediation", Role::kApprover},

      {"/liveops.v1.Status/GetStatus", Role::kViewer},
  };
  return *table;
}

bool Grants(const std::set<Role>& roles, Role wanted) {
  if (roles.contains(wanted)) return true;
  return wanted == Role::kViewer &&
         (roles.contains(Role::kOperator) || roles.contains(Role::kApprover));
}

bool IsOpenService(std::string_view full_name) {
  return full_name == "grpc.health.v1.Health" ||
         full_name == "grpc.reflection.v1alpha.ServerReflection" ||
         full_name == "grpc.reflection.v1.ServerReflection";
}

bool IsOpenMethod(std::string_view method) {
  const std::size_t slash = method.rfind('/');
  return method.starts_with('/') && slash > 0 && slash != std::string_view::npos &&
         IsOpenService(method.substr(1, slash - 1));
}

std::optional<std::string> Lacks(std::string_view method, const std::set<Role>& roles) {
  if (IsOpenMethod(method)) return std::nullopt;
  const auto& table = RoleTable();
  const auto found = table.find(std::string(method));
  if (found == table.end()) return "unlisted method";
  if (Grants(roles, found->second)) return std::nullopt;
  return RoleName(found->second);
}

Status CheckListed(const google::protobuf::ServiceDescriptor& service) {
  if (IsOpenService(service.full_name())) return {};
  std::string missing;
  for (int i = 0; i < service.method_count(); ++i) {
    const std::string path = MethodPath(*service.method(i));
    if (!RoleTable().contains(path)) missing += (missing.empty() ? "" : ", ") + path;
  }
  if (missing.empty()) return {};
  return InvalidError("the role table does not list " + missing);
}

Status CheckEmittersOnly(const google::protobuf::ServiceDescriptor& service) {
  for (int i = 0; i < service.method_count(); ++i) {
    const std::string path = MethodPath(*service.method(i));
    const auto found = RoleTable().find(path);
    if (found == RoleTable().end() || found->second != Role::kEmitter) {
      return InvalidError(path + " is not for emitters and cannot be served on the plain listener");
    }
  }
  return {};
}

}  // namespace liveops::rpc
