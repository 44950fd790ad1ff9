#include <optional>

#include "common/base/text.h"
#include "common/base/time.h"
#include "common/rpc/server.h"
#include "liveops/v1/plans.grpc.pb.h"
#include "services/rule-evaluation/service/grpc_services.h"

namespace liveops::evaluation {
namespace {

constexpr std::size_t kMessageBytesMax = 1200;  // travels in a trailer

template <typename Response>
void AddProblems(const std::vector<plan::Problem>& problems, const std::string& file,
                 Response* response) {
  for (const plan::Problem& problem : problems) {
    v1::PlanProblem& out = *response->add_problems();
    out.set_file(file);
    out.set_line(static_cast<std::uint32_t>(problem.line));
    out.set_column(static_cast<std::uint32_t>(problem.column));
    out.set_message(problem.message);
  }
}

void Fill(const StoredPlan& plan, bool with_text, v1::PlanRecord* out) {
  out->set_service(plan.service);
  out->set_version(plan.version);
  if (with_text) out->set_text(plan.text);
  out->set_applied_by(plan.applied_by);
  out->set_applied_unix_ms(plan.applied_unix_ms);
  out->set_spread(static_cast<std::uint32_t>(plan.spread));
  out->set_spread_from_ms(ToMs(plan.spread_from));
}

// Somebody else was here: who, so that they can be asked.
grpc::Status Unexpected(const Applied& applied, std::uint64_t expected) {
  const StoredPlan& newest = applied.newest;
  std::string message = "nothing was applied: ";
  message += expected == 0 ? applied.service + " has a plan already, version "
                           : "the newest version of " + applied.service + " is not " +
                                 std::to_string(expected) + " but ";
  message += std::to_string(applied.version);
  if (applied.version == 0) {
    message = "nothing was applied: " + applied.service +
              " has no plan yet, so its newest version " + "cannot be " + std::to_string(expected);
  } else {
    message += ", applied by " + (newest.applied_by.empty() ? "somebody" : newest.applied_by);
    if (newest.applied_unix_ms > 0) message += " at " + FormatUtc(newest.applied_unix_ms);
  }
  return {grpc::StatusCode::FAILED_PRECONDITION, ScrubUtf8(Truncate(message, kMessageBytesMax))};
}

class PlansService final : public v1::Plans::Service {
 public:
  PlansService(PlanApplier& applier, const PlanLibrary& library)
      : applier_(applier), library_(library) {}

  grpc::Status CheckPlan(grpc::ServerContext*, const v1::CheckPlanRequest* request,
                         v1::CheckPlanResponse* response) override {
    if (request->text().size() > PlanApplier::kTextMax) {
      return rpc::ToGrpc(InvalidError("the plan has more than " +
                                      std::to_string(PlanApplier::kTextMax) + " bytes"));
    }
    AddProblems(applier_.Check(request->text()).problems, request->file(), response);
    return grpc::Status::OK;
  }

  grpc::Status ApplyPlan(grpc::ServerContext* context, const v1::ApplyPlanRequest* request,
                         v1::ApplyPlanResponse* response) override {
    const auto expected =
        request->has_expected_version() ? std::optional(request->expected_version()) : std::nullopt;
    const auto applied = applier_.Apply(request->text(), expected, rpc::PeerOf(*context).name);
    if (!applied.ok()) return rpc::ToGrpc(applied.error());
    if (applied->unexpected) return Unexpected(*applied, request->expected_version());
    response->set_service(applied->service);
    response->set_version(applied->version);
    response->set_unchanged(applied->unchanged);
    if (applied->version != 0) response->set_spread(static_cast<std::uint32_t>(applied->spread));
    response->set_spread_from_ms(ToMs(applied->spread_from));
    AddProblems(applied->problems, request->file(), response);
    return grpc::Status::OK;
  }

  grpc::Status GetPlan(grpc::ServerContext*, const v1::GetPlanRequest* request,
                       v1::GetPlanResponse* response) override {
    if (!library_.complete()) return NotReadYet();
    const auto plan = request->version() == 0
                          ? library_.Newest(request->service())
                          : library_.Get(request->service(), request->version());
    if (!plan) {
      std::string what = "no plan of \"" + request->service() + "\"";
      if (request->version() != 0) what += " with version " + std::to_string(request->version());
      return rpc::ToGrpc(NotFoundError(what));
    }
    Fill(*plan, true, response->mutable_plan());
    return grpc::Status::OK;
  }

  grpc::Status ListPlans(grpc::ServerContext*, const v1::ListPlansRequest*,
                         v1::ListPlansResponse* response) override {
    if (!library_.complete()) return NotReadYet();
    for (const StoredPlan& plan : library_.NewestOfAll()) Fill(plan, false, response->add_plans());
    return grpc::Status::OK;
  }

 private:
  static grpc::Status NotReadYet() {
    return rpc::ToGrpc(UnavailableError("the library of plans is not read yet"));
  }

  PlanApplier& applier_;
  const PlanLibrary& library_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakePlansService(PlanApplier& applier, const PlanLibrary& library) {
  return std::make_shared<PlansService>(applier, library);
}

}  // namespace liveops::evaluation
