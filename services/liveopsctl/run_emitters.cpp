#include "services/liveopsctl/render/emitters.h"
#include "services/liveopsctl/session.h"

namespace liveops::ctl {

int RunEmitters(Session& session, const EmittersList& command) {
  Backend* backend = session.Open(Server::kIngest);
  if (backend == nullptr) return kExitUsage;
  v1::ListEmittersRequest request;
  request.set_service(command.service);
  const Result<v1::ListEmittersResponse> response = backend->ListEmitters(request);
  if (!response.ok()) return session.Fail(response.error());
  return session.Answer(*response, RenderEmitters(*response, command.service, session.style()));
}

}  // namespace liveops::ctl
