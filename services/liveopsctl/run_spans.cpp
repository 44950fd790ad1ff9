#include "services/liveopsctl/render/spans.h"
#include "services/liveopsctl/session.h"

namespace liveops::ctl {

int RunSpans(Session& session, const SpansList& command) {
  Backend* backend = session.Open(Server::kIngest);
  if (backend == nullptr) return kExitUsage;
  v1::ListSlowestSpansRequest request;
  request.set_service(command.service);
  request.set_operation(command.operation);
  request.set_each(command.slowest);
  const Result<v1::ListSlowestSpansResponse> response = backend->ListSlowestSpans(request);
  if (!response.ok()) return session.Fail(response.error());
  return session.Answer(*response, RenderSpans(*response, command.service, session.style()));
}

}  // namespace liveops::ctl
