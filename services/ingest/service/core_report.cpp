// What is told of a service and is no point: deployments, and alerts that others judge.
#include <chrono>

#include "common/base/text.h"
#include "common/telemetry/log.h"
#include "services/ingest/service/core.h"

namespace liveops::ingest {
namespace {

constexpr std::size_t kRevisionBytesMax = 200;
constexpr std::size_t kDescriptionBytesMax = 1000;

}  // namespace

void Core::Report(std::string_view service, v1::ShardRecord record, std::size_t bytes,
                  std::string_view traceparent, std::function<void(const Status&)> done) {
  record.mutable_source()->set_emitter(settings_.instance);
  record.mutable_source()->set_session(settings_.session);
  record.mutable_source()->set_sequence(++own_sequence_);
  // Evidence of alarms, and alarms: both are the home partition's.
  Append({service, PartitionOf(service, settings_.partitions), record.SerializeAsString(), 0},
         bytes, TraceHeader(traceparent), std::move(done));
}

void Core::ReportDeployment(const v1::ReportDeploymentRequest& request, const rpc::Peer& peer,
                            std::string_view traceparent, std::function<void(const Status&)> done) {
  ++requests_;
  if (const Status s = admit::CheckService(request.service(), settings_.limits); !s) return done(s);
  if (request.revision().size() > kRevisionBytesMax ||
      request.description().size() > kDescriptionBytesMax) {
    return done(InvalidError("revision may have " + std::to_string(kRevisionBytesMax) +
                             " bytes and description " + std::to_string(kDescriptionBytesMax)));
  }
  if (request.revision().empty() && request.description().empty()) {
    return done(InvalidError("a deployment needs a revision or a description"));
  }
  if (const Status s = CheckWriter(peer, request.service(), 0); !s) return done(s);
  const Result<RealTime> now = Gate(request.ByteSizeLong());
  if (!now) return done(now.error());
  v1::ShardRecord record;
  v1::DeploymentMarker* const marker = record.mutable_deployment();
  marker->set_service(request.service());
  marker->set_revision(request.revision());
  marker->set_description(request.description());
  marker->set_actor(ScrubUtf8(peer.name));
  marker->set_time_ms(ToMs(map().ToDomain(*now)));
  Report(request.service(), std::move(record), 0, traceparent,
         [this, done = std::move(done)](const Status& s) {
           if (s.ok()) ++deployments_;
           done(s);
         });
}

void Core::CountAlerts(std::uint64_t taken, std::uint64_t refused) {
  alerts_ += taken;
  refused_alerts_ += refused;
}

}  // namespace liveops::ingest
