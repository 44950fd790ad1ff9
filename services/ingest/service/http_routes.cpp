#include "services/ingest/service/http_routes.h"

#include "services/ingest/codec/otlp_json.h"
#include "services/ingest/codec/otlp_logs.h"
#include "services/ingest/codec/otlp_response.h"
#include "services/ingest/service/alert_face.h"
#include "services/ingest/service/cloudwatch_face.h"
#include "services/ingest/service/cost_face.h"
#include "services/ingest/service/http_otlp.h"
#include "services/ingest/service/http_remote_write.h"

namespace liveops::ingest {

HttpRoutes MakeHttpRoutes(Core& core, SpanIntake& spans, LogIntake& logs,
                          const HttpSettings& settings) {
  HttpRoutes routes;
  const std::size_t bytes_max = settings.message_bytes_max;
  routes["/api/v1/write"] = std::make_unique<RemoteWriteFace>(core, settings);
  routes["/v1/metrics"] =
      std::make_unique<OtlpSignalFace<Core>>(core, bytes_max, OtlpOfJson, OtlpResponse);
  routes["/v1/logs"] = std::make_unique<OtlpSignalFace<LogIntake>>(logs, bytes_max, OtlpLogsOfJson,
                                                                   OtlpLogsResponse);
  routes["/v1/traces"] = std::make_unique<OtlpSignalFace<SpanIntake>>(
      spans, bytes_max, OtlpTracesOfJson, OtlpTracesResponse);
  routes["/api/v1/cloudwatch"] = std::make_unique<CloudWatchFace>(core, settings);
  routes["/api/v1/cost"] = std::make_unique<CostFace>(core, settings);
  const auto alerts = std::make_shared<Alerts>(core, settings.alerts);
  routes["/api/v2/alerts"] = AlertmanagerFace(alerts);
  routes["GET /api/v2/alerts"] = std::make_unique<AlertmanagerListFace>();
  routes["GET /api/v2/status"] = std::make_unique<AlertmanagerStatusFace>();
  routes["/api/v1/webhooks/datadog"] = DatadogFace(alerts);
  routes["/api/v1/webhooks/newrelic"] = NewRelicFace(alerts);
  routes["/api/v1/webhooks/cloudwatch"] = CloudWatchAlarmFace(alerts, settings.sns);
  return routes;
}

}  // namespace liveops::ingest
