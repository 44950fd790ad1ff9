#include <fmt/format.h>

#include <string>

#include "common/base/text.h"
#include "services/liveopsctl/render/remediations.h"
#include "services/liveopsctl/session.h"

namespace liveops::ctl {
namespace {

Result<v1::RemediationStatus> Fetch(Backend& backend, const std::string& id) {
  v1::GetRemediationRequest request;
  request.set_id(id);
  Result<v1::GetRemediationResponse> response = backend.GetRemediation(request);
  if (!response.ok()) return response.error();
  return std::move(*response->mutable_remediation());
}

// Shows `text` where a person looks, and reads the answer. Only a plain yes is one.
bool Confirm(World& world, const std::string& question) {
  world.err << question << " [y/N] " << std::flush;
  std::string line;
  if (!std::getline(world.in, line)) return false;
  const std::string_view answer = Trim(line);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

int RunRemediationsList(Session& session, const RemediationsList& command) {
  Backend* backend = session.Open(Server::kRemediation);
  if (backend == nullptr) return kExitUsage;
  v1::ListRemediationsRequest request;
  request.set_open_only(command.open);
  const Result<v1::ListRemediationsResponse> response = backend->ListRemediations(request);
  if (!response.ok()) return session.Fail(response.error());
  return session.Answer(*response, RenderRemediations(*response, command.open, session.style()));
}

int RunRemediationsShow(Session& session, const RemediationsShow& command) {
  Backend* backend = session.Open(Server::kRemediation);
  if (backend == nullptr) return kExitUsage;
  v1::GetRemediationRequest request;
  request.set_id(command.id);
  const Result<v1::GetRemediationResponse> response = backend->GetRemediation(request);
  if (!response.ok()) return session.Fail(response.error());
  return session.Answer(*response, RenderRemediation(response->remediation(), session.style()));
}

int RunRemediationsApprove(Session& session, const RemediationsApprove& command) {
  World& world = session.world();
  if (!command.yes && !world.in_terminal) {
    return session.Usage(
        "remediations approve: there is no terminal to ask on; look at it with `remediations "
        "show`, "
        "then give --yes");
  }
  Backend* backend = session.Open(Server::kRemediation);
  if (backend == nullptr) return kExitUsage;
  const Result<v1::RemediationStatus> shown = Fetch(*backend, command.id);
  if (!shown.ok()) return session.Fail(shown.error());
  if (shown->phase() == v1::REMEDIATION_PHASE_CLOSED) {
    return session.Refuse(
        fmt::format("remediation {} is closed ({}{}{}): there is nothing to approve", shown->id(),
                    PhaseWord(*shown), shown->outcome().detail().empty() ? "" : ": ",
                    shown->outcome().detail()));
  }
  if (shown->has_approved()) {
    v1::ApproveRemediationResponse already;
    *already.mutable_remediation() = *shown;
    already.set_already(true);
    return session.Answer(already,
                          fmt::format("was already approved by {}; state: {}\n",
                                      Printable(shown->approved().by()), PhaseWord(*shown)));
  }
  if (shown->proposed().digest().size() != 32 || shown->proposed().action().argv_size() == 0) {
    return session.Refuse("the proposal does not say what will be done: it cannot be approved");
  }
  // With --json the answer alone goes to the output; a person reads on the error stream.
  Style style = session.style();
  if (session.json()) style.colour = false;
  (session.json() ? world.err : world.out) << RenderProposal(*shown, style) << std::flush;
  if (!command.yes && !Confirm(world, "Approve?"))
    return session.Refuse("not approved; nothing was sent");

  v1::ApproveRemediationRequest request;
  request.set_id(shown->id());
  request.set_digest(shown->proposed().digest());
  const Result<v1::ApproveRemediationResponse> response = backend->ApproveRemediation(request);
  if (!response.ok()) return session.Fail(response.error());
  return session.Answer(
      *response,
      fmt::format("{} by {}; state: {}. Follow it with `liveopsctl remediations show {}`\n",
                  response->already() ? "was already approved" : "approved",
                  Printable(response->remediation().approved().by()),
                  PhaseWord(response->remediation()), Printable(shown->id().substr(0, 12))));
}

int RunRemediationsDeny(Session& session, const RemediationsDeny& command) {
  if (Trim(command.reason).empty())
    return session.Usage("remediations deny: --reason must say something");
  Backend* backend = session.Open(Server::kRemediation);
  if (backend == nullptr) return kExitUsage;
  // The service takes a full id to change something; the short one is looked up first.
  const Result<v1::RemediationStatus> found = Fetch(*backend, command.id);
  if (!found.ok()) return session.Fail(found.error());
  v1::DenyRemediationRequest request;
  request.set_id(found->id());
  request.set_reason(command.reason);
  const Result<v1::DenyRemediationResponse> response = backend->DenyRemediation(request);
  if (!response.ok()) return session.Fail(response.error());
  return session.Answer(
      *response, fmt::format("denied by {}: {}\n", Printable(response->remediation().denied().by()),
                             Printable(response->remediation().denied().reason())));
}

}  // namespace liveops::ctl
