#include "services/rule-evaluation/codec/alarm_codec.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/spread.h"
#include "liveops/v1/alarms.pb.h"
#include "liveops/v1/metrics.pb.h"
#include "liveops/v1/plans.pb.h"
#include "services/rule-evaluation/codec/reads_codec.h"
#include "services/rule-evaluation/codec/transition_proto.h"

namespace liveops::evaluation {
namespace {

void SetSource(const engine::Source& source, v1::Source& out) {
  out.set_emitter(std::string(source.emitter));
  out.set_session(source.session);
  out.set_sequence(source.sequence);
}

std::string Bytes(const google::protobuf::MessageLite& message) {
  return message.SerializeAsString();
}

bool Parse(std::string_view value, google::protobuf::MessageLite& message) {
  return value.size() <= (1u << 30) &&
         message.ParseFromArray(value.data(), static_cast<int>(value.size()));
}

}  // namespace

std::string EncodeClaim(const engine::Source& source, std::string_view owner,
                        std::int64_t claimed_unix_ms) {
  v1::AlarmRecord record;
  SetSource(source, *record.mutable_source());
  record.mutable_claim()->set_owner(std::string(owner));
  record.mutable_claim()->set_session(source.session);
  record.mutable_claim()->set_claimed_unix_ms(claimed_unix_ms);
  return Bytes(record);
}

std::string EncodeReleased(const engine::Source& source, std::string_view owner) {
  v1::AlarmRecord record;
  SetSource(source, *record.mutable_source());
  record.mutable_released()->set_owner(std::string(owner));
  record.mutable_released()->set_session(source.session);
  return Bytes(record);
}

std::string EncodeTransition(const engine::Source& source, const engine::Transition& transition,
                             std::int32_t source_partition) {
  v1::AlarmRecord record;
  SetSource(source, *record.mutable_source());
  ToProto(transition, source_partition, *record.mutable_transition());
  return Bytes(record);
}

std::string EncodePlanInForce(const engine::Source& source, const PlanInForce& plan) {
  v1::AlarmRecord record;
  SetSource(source, *record.mutable_source());
  v1::PlanInForce& out = *record.mutable_plan();
  out.set_service(plan.service);
  out.set_version(plan.version);
  out.set_text(plan.text);
  out.set_source_partition(plan.source_partition);
  out.set_source_offset(plan.source_offset);
  out.set_clock_ms(ToMs(plan.clock));
  out.set_applied_by(plan.applied_by);
  out.set_spread_from_ms(ToMs(plan.spread_from));
  ToProto(plan.reads, *out.mutable_reads());
  return Bytes(record);
}

Result<AlarmEvent> DecodeAlarmRecord(std::string_view value) {
  v1::AlarmRecord record;
  if (!Parse(value, record)) {
    return InvalidError("not an AlarmRecord (" + std::to_string(value.size()) + " bytes)");
  }
  switch (record.body_case()) {
    case v1::AlarmRecord::kClaim:
      return AlarmEvent(ClaimEvent{record.claim().owner(), record.claim().session()});
    case v1::AlarmRecord::kReleased:
      return AlarmEvent(ReleasedEvent{record.released().owner(), record.released().session()});
    case v1::AlarmRecord::kTransition: {
      Result<engine::Transition> transition = FromProto(record.transition());
      if (!transition.ok()) return transition.error();
      return AlarmEvent(std::move(*transition));
    }
    case v1::AlarmRecord::kPlan: {
      const v1::PlanInForce& in = record.plan();
      if (in.service().empty()) return InvalidError("a plan in force without a service");
      PlanInForce plan{in.service(),
                       in.version(),
                       in.text(),
                       in.source_partition(),
                       in.source_offset(),
                       InstantFromMs(in.clock_ms()),
                       in.applied_by(),
                       RealFromMs(in.spread_from_ms()),
                       {}};
      if (!FromProto(in.reads(), plan.reads)) {
        return InvalidError("a plan in force that reads a service out of range");
      }
      return AlarmEvent(std::move(plan));
    }
    case v1::AlarmRecord::BODY_NOT_SET:
      break;
  }
  return InvalidError("an AlarmRecord without a body that this build knows");
}

std::string EncodePlanActivation(const engine::Source& source, const StoredPlan& plan) {
  v1::ShardRecord record;
  SetSource(source, *record.mutable_source());
  record.mutable_plan()->set_service(plan.service);
  record.mutable_plan()->set_version(plan.version);
  record.mutable_plan()->set_text(plan.text);
  record.mutable_plan()->set_applied_by(plan.applied_by);
  record.mutable_plan()->set_spread_from_ms(ToMs(plan.spread_from));
  ToProto(plan.reads, *record.mutable_plan()->mutable_reads());
  return Bytes(record);
}

std::string EncodeReadings(const engine::Source& source, const engine::Readings& readings) {
  v1::ShardRecord record;
  SetSource(source, *record.mutable_source());
  v1::Readings& out = *record.mutable_readings();
  out.set_service(readings.service);
  out.set_rule(readings.rule);
  out.set_windows(readings.windows);
  out.set_source_partition(readings.source_partition);
  out.set_step_end_ms(readings.step_end_ms);
  out.set_part(readings.part);
  out.set_parts(readings.parts);
  out.set_groups(readings.groups);
  return Bytes(record);
}

std::string EncodePlanRecord(const engine::Source& source, const StoredPlan& plan) {
  v1::PlanRecord record;
  SetSource(source, *record.mutable_source());
  record.set_service(plan.service);
  record.set_version(plan.version);
  record.set_text(plan.text);
  record.set_applied_by(plan.applied_by);
  record.set_applied_unix_ms(plan.applied_unix_ms);
  record.set_spread(static_cast<std::uint32_t>(plan.spread));
  record.set_spread_from_ms(ToMs(plan.spread_from));
  return Bytes(record);
}

Result<StoredPlan> DecodePlanRecord(std::string_view value) {
  v1::PlanRecord record;
  if (!Parse(value, record)) {
    return InvalidError("not a PlanRecord (" + std::to_string(value.size()) + " bytes)");
  }
  if (record.service().empty() || record.version() == 0) {
    return InvalidError("a PlanRecord without a service or a version");
  }
  if (record.spread() > static_cast<std::uint32_t>(kSpreadMax)) {
    return InvalidError("a PlanRecord with a spread of " + std::to_string(record.spread()));
  }
  return StoredPlan{record.service(),
                    record.version(),
                    record.text(),
                    record.applied_by(),
                    record.applied_unix_ms(),
                    -1,
                    std::max(1, static_cast<int>(record.spread())),
                    RealFromMs(record.spread_from_ms()),
                    {}};
}

std::string EncodeStatus(const engine::AlarmView& view, const engine::Transition* last,
                         std::int32_t source_partition) {
  v1::AlarmStatus out;
  out.set_alarm_id(view.alarm_id);
  out.set_service(view.service);
  out.set_name(view.name);
  out.set_purpose(static_cast<v1::Purpose>(view.purpose));
  out.set_state(static_cast<v1::AlarmState>(view.state));
  out.set_severity(SeverityToProto(view.severity));
  out.set_owner(view.owner);
  out.set_expression(view.expression);
  out.set_value(view.value);
  out.set_threshold(view.threshold);
  out.set_comparison(plan::ComparisonSign(view.comparison));
  out.set_unit(view.unit);
  out.set_since_ms(ToMs(view.since));
  out.set_episode_ms(ToMs(view.episode));
  out.set_hold_ms(static_cast<std::uint64_t>(view.hold.count()));
  out.set_window_ms(static_cast<std::uint64_t>(view.window.count()));
  out.set_watermark_ms(ToMs(view.watermark));
  out.set_clock_ms(ToMs(view.clock));
  out.set_points(view.points);
  out.set_plan_version(view.plan_version);
  out.set_explanation(view.explanation);
  out.set_swings(view.swings);
  out.set_origin(view.origin);
  out.set_link(view.link);
  out.set_heard_ms(ToMs(view.heard));
  out.set_valid_until_ms(ToMs(view.valid_until));
  if (view.budget) {
    v1::ErrorBudget& budget = *out.mutable_budget();
    budget.set_slo(view.budget->slo);
    budget.set_objective(view.budget->objective);
    budget.set_over_ms(static_cast<std::uint64_t>(view.budget->over.count()));
    budget.set_left(view.budget->left);
    budget.set_covered(view.budget->covered);
    budget.set_events(view.budget->events);
  }
  if (last != nullptr) ToProto(*last, source_partition, *out.mutable_last_transition());
  return Bytes(out);
}

}  // namespace liveops::evaluation
