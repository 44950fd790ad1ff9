#include "services/remediation/service/codec.h"

#include "liveops/v1/remediations.pb.h"

namespace liveops::remediation {
namespace {

Duration Ms(std::uint64_t ms) {
  // A year is longer than anything means here; more is a forgery that must not overflow.
  constexpr std::uint64_t kMax = 366ull * 86'400'000;
  return Duration(static_cast<std::int64_t>(ms < kMax ? ms : kMax));
}

// A time that can be reckoned with: between 1970 and the year 5138. What lies outside is a forgery,
// and adding a span to it would overflow.
bool Sane(std::int64_t ms) { return ms >= 0 && ms <= 100'000'000'000'000; }

void Put(const Proposed& p, v1::Proposed* out) {
  out->set_service(p.service);
  out->set_scenario(p.scenario);
  out->set_alarm_id(p.alarm_id);
  out->set_episode_ms(ToMs(p.episode));
  out->set_page_with(p.page_with);
  v1::Action* action = out->mutable_action();
  action->set_kind(p.action.kind);
  action->set_target(p.action.target);
  action->set_namespace_(p.action.ns);
  for (const std::string& argument : p.action.argv) action->add_argv(argument);
  action->mutable_preconditions()->insert(p.action.preconditions.begin(),
                                          p.action.preconditions.end());
  action->mutable_effect()->insert(p.action.effect.begin(), p.action.effect.end());
  action->set_description(p.action.description);
  out->set_digest(p.digest);
  out->set_approver_owner(p.approver_owner);
  out->set_expires_ms(ToMs(p.expires));
  out->set_requested_by(p.requested_by);
  out->set_plan_version(p.plan_version);
  out->set_expect(p.expect);
  out->set_expect_within_ms(static_cast<std::uint64_t>(p.expect_within.count()));
  out->set_condition(p.condition);
}

void Put(const Approved& a, v1::Approved* out) {
  out->set_digest(a.digest);
  out->set_by(a.by);
  out->set_expires_ms(ToMs(a.expires));
}

void Put(const Denied& d, v1::Denied* out) {
  out->set_by(d.by);
  out->set_reason(d.reason);
}

void Put(const Intent& i, v1::Intent* out) {
  out->set_digest(i.digest);
  out->set_executor(i.executor);
  out->set_timeout_ms(static_cast<std::uint64_t>(i.timeout.count()));
}

void Put(const Effect& e, v1::Effect* out) {
  out->set_exit_code(e.exit_code);
  out->set_output(e.output);
  out->set_read_back(e.read_back);
  out->set_observed(e.observed);
  out->set_probe_id(e.probe_id);
}

void Put(const Outcome& o, v1::Outcome* out) {
  out->set_outcome(static_cast<v1::RemediationOutcome>(o.kind));
  out->set_detail(o.detail);
}

Proposed From(const v1::Proposed& in) {
  Proposed p;
  p.service = in.service();
  p.scenario = in.scenario();
  p.alarm_id = in.alarm_id();
  p.episode = InstantFromMs(in.episode_ms());
  p.page_with = in.page_with();
  p.action.kind = in.action().kind();
  p.action.target = in.action().target();
  p.action.ns = in.action().namespace_();
  p.action.argv.assign(in.action().argv().begin(), in.action().argv().end());
  p.action.preconditions.insert(in.action().preconditions().begin(),
                                in.action().preconditions().end());
  p.action.effect.insert(in.action().effect().begin(), in.action().effect().end());
  p.action.description = in.action().description();
  p.digest = in.digest();
  p.approver_owner = in.approver_owner();
  p.expires = InstantFromMs(in.expires_ms());
  p.requested_by = in.requested_by();
  p.plan_version = in.plan_version();
  p.expect = in.expect();
  p.expect_within = Ms(in.expect_within_ms());
  p.condition = in.condition();
  return p;
}

}  // namespace

void ToProto(const Body& body, v1::RemediationRecord* out) {
  struct Visitor {
    v1::RemediationRecord* out;
    void operator()(const Proposed& p) const { Put(p, out->mutable_proposed()); }
    void operator()(const Approved& a) const { Put(a, out->mutable_approved()); }
    void operator()(const Denied& d) const { Put(d, out->mutable_denied()); }
    void operator()(const Intent& i) const { Put(i, out->mutable_intent()); }
    void operator()(const Effect& e) const { Put(e, out->mutable_effect()); }
    void operator()(const Outcome& o) const { Put(o, out->mutable_outcome()); }
  };
  std::visit(Visitor{out}, body);
}

Result<Record> FromProto(const v1::RemediationRecord& in) {
  Record record;
  record.id = in.remediation_id();
  record.clock = InstantFromMs(in.clock_ms());
  if (record.id.empty()) return InvalidError("a remediation record without an id");
  if (!Sane(in.clock_ms()) || !Sane(in.proposed().episode_ms()) ||
      !Sane(in.proposed().expires_ms()) || !Sane(in.approved().expires_ms())) {
    return InvalidError("a remediation record with a time that is out of range");
  }
  switch (in.body_case()) {
    case v1::RemediationRecord::kProposed:
      record.body = From(in.proposed());
      return record;
    case v1::RemediationRecord::kApproved:
      record.body = Approved{in.approved().digest(), in.approved().by(),
                             InstantFromMs(in.approved().expires_ms())};
      return record;
    case v1::RemediationRecord::kDenied:
      record.body = Denied{in.denied().by(), in.denied().reason()};
      return record;
    case v1::RemediationRecord::kIntent:
      record.body =
          Intent{in.intent().digest(), in.intent().executor(), Ms(in.intent().timeout_ms())};
      return record;
    case v1::RemediationRecord::kEffect:
      record.body = Effect{in.effect().exit_code(), in.effect().output(), in.effect().read_back(),
                           in.effect().observed(), in.effect().probe_id()};
      return record;
    case v1::RemediationRecord::kOutcome: {
      const int kind = in.outcome().outcome();
      if (kind < 1 || kind > static_cast<int>(OutcomeKind::kWithdrawn)) {
        return InvalidError("an unknown outcome, " + std::to_string(kind));
      }
      record.body = Outcome{static_cast<OutcomeKind>(kind), in.outcome().detail()};
      return record;
    }
    default:
      return InvalidError("a remediation record without a body that this build knows");
  }
}

v1::RemediationStatus ToStatus(const Remediation& r) {
  v1::RemediationStatus status;
  status.set_id(r.id);
  status.set_phase(static_cast<v1::RemediationPhase>(r.phase));
  if (r.proposed) Put(*r.proposed, status.mutable_proposed());
  if (r.approved) Put(*r.approved, status.mutable_approved());
  if (r.denied) Put(*r.denied, status.mutable_denied());
  if (r.intent) Put(*r.intent, status.mutable_intent());
  if (r.effect) Put(*r.effect, status.mutable_effect());
  if (r.outcome) Put(*r.outcome, status.mutable_outcome());
  return status;
}

}  // namespace liveops::remediation
