#include "services/ingest/service/http_routes.h"

#include "services/ingest/service/alert_face.h"
#include "services/ingest/service/http_otlp.h"
#include "services/ingest/service/http_remote_write.h"
#include "services/ingest/service/http_traces.h"

namespace liveops::ingest {

HttpRoutes MakeHttpRoutes(Core& core, SpanIntake& spans, const HttpSettings& settings) {
  HttpRoutes routes;
  routes["/api/v1/write"] = std::make_unique<RemoteWriteFace>(core, settings);
  routes["/v1/metrics"] = std::make_unique<OtlpMetricsFace>(core, settings.message_bytes_max);
  routes["/v1/traces"] = std::make_unique<OtlpTracesFace>(spans, settings.message_bytes_max);
  const auto alerts = std::make_shared<Alerts>(core, settings.alerts);
  routes["/api/v2/alerts"] = AlertmanagerFace(alerts);
  routes["GET /api/v2/alerts"] = std::make_unique<AlertmanagerListFace>();
  routes["GET /api/v2/status"] = std::make_unique<AlertmanagerStatusFace>();
  routes["/api/v1/webhooks/datadog"] = DatadogFace(alerts);
  routes["/api/v1/webhooks/newrelic"] = NewRelicFace(alerts);
  routes["/api/v1/webhooks/cloudwatch"] = CloudWatchAlarmFace(alerts);
  return routes;
}

}  // namespace liveops::ingest
