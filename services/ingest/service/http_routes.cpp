#include "services/ingest/service/http_routes.h"

#include "services/ingest/service/http_otlp.h"
#include "services/ingest/service/http_remote_write.h"

namespace liveops::ingest {

HttpRoutes MakeHttpRoutes(Core& core, const HttpSettings& settings) {
  HttpRoutes routes;
  routes["/api/v1/write"] = std::make_unique<RemoteWriteFace>(core, settings);
  routes["/v1/metrics"] = std::make_unique<OtlpMetricsFace>(core, settings.message_bytes_max);
  return routes;
}

}  // namespace liveops::ingest
