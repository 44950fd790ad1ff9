#include "services/rule-evaluation/codec/transition_proto.h"

#include <string>
#include <utility>
#include <vector>

namespace liveops::evaluation {
namespace {

constexpr std::uint64_t kDurationMax = 1'000'000'000'000'000;  // ms

Duration DurationFrom(std::uint64_t ms) {
  return Duration(static_cast<std::int64_t>(ms < kDurationMax ? ms : kDurationMax));
}

std::uint64_t MsOf(Duration d) {
  return d.count() > 0 ? static_cast<std::uint64_t>(d.count()) : std::uint64_t{0};
}

}  // namespace

v1::Severity SeverityToProto(plan::Severity severity) {
  return static_cast<v1::Severity>(static_cast<int>(severity) + 1);
}

plan::Severity SeverityFromProto(v1::Severity severity) {
  return static_cast<plan::Severity>(static_cast<int>(severity) - 1);
}

std::optional<plan::Comparison> ParseComparison(std::string_view sign) {
  for (const plan::Comparison op : {plan::Comparison::kGreater, plan::Comparison::kGreaterEqual,
                                    plan::Comparison::kLess, plan::Comparison::kLessEqual}) {
    if (sign == plan::ComparisonSign(op)) return op;
  }
  return std::nullopt;
}

void ToProto(const engine::Transition& t, std::int32_t source_partition, v1::AlarmTransition& out) {
  out.set_alarm_id(t.alarm_id);
  out.set_service(t.service);
  out.set_name(t.name);
  for (const auto& [name, value] : t.group) {
    v1::Label& label = *out.add_group();
    label.set_name(name);
    label.set_value(value);
  }
  out.set_purpose(static_cast<v1::Purpose>(t.purpose));
  out.set_episode_ms(ToMs(t.episode));
  out.set_step(t.step);
  out.set_transition_id(std::string(AsBytes(engine::TransitionId(t))));
  out.set_state(static_cast<v1::AlarmState>(t.state));
  out.set_reason(t.reason);
  out.set_severity(SeverityToProto(t.severity));
  out.set_owner(t.owner);
  out.set_expression(t.expression);
  out.set_value(t.value);
  out.set_value_low(t.value_low);
  out.set_value_high(t.value_high);
  out.set_threshold(t.threshold);
  out.set_comparison(plan::ComparisonSign(t.comparison));
  out.set_unit(t.unit);
  out.set_window_ms(MsOf(t.window));
  out.set_hold_ms(MsOf(t.hold));
  out.set_window_end_ms(ToMs(t.window_end));
  out.set_since_ms(ToMs(t.since));
  out.set_peak(t.peak);
  out.set_duration_ms(MsOf(t.duration));
  out.set_points(t.points);
  for (const engine::Contribution& top : t.top) {
    v1::Contribution& c = *out.add_top();
    c.set_label(top.label);
    c.set_value(top.value);
    c.set_share(top.share);
  }
  for (const engine::Change& change : t.changes) {
    v1::Change& c = *out.add_changes();
    c.set_description(change.description);
    c.set_time_ms(ToMs(change.time));
  }
  out.set_plan_version(t.plan_version);
  out.set_clock_ms(ToMs(t.clock));
  out.set_clock_real_ms(ToMs(t.clock_real));
  out.set_source_partition(source_partition);
  out.set_source_offset(t.source_offset);
  out.set_probe_id(t.probe_id);
  out.set_summary(t.summary);
  out.set_runbook(t.runbook);
  if (t.severity_before) out.set_severity_before(SeverityToProto(*t.severity_before));
  out.set_swings(t.swings);
  out.set_flaps_within_ms(MsOf(t.flaps_within));
  out.set_quiet_ms(MsOf(t.quiet));
  out.set_groups_refused(t.groups_refused);
  out.set_compared(t.compared);
  out.set_origin(t.origin);
  out.set_link(t.link);
  out.set_heard_ms(ToMs(t.heard));
  out.set_valid_until_ms(ToMs(t.valid_until));
  out.set_budget(t.budget);
}

Result<engine::Transition> FromProto(const v1::AlarmTransition& in) {
  if (in.alarm_id().empty()) return InvalidError("a transition without an alarm id");
  if (in.state() < v1::ALARM_STATE_OK || in.state() > v1::ALARM_STATE_STALE) {
    return InvalidError("a transition of " + in.alarm_id() + " with state " +
                        std::to_string(static_cast<int>(in.state())));
  }
  if (in.purpose() < v1::PURPOSE_PAGE || in.purpose() > v1::PURPOSE_PROBE) {
    return InvalidError("a transition of " + in.alarm_id() + " with purpose " +
                        std::to_string(static_cast<int>(in.purpose())));
  }
  if (in.severity() < v1::SEVERITY_CRITICAL || in.severity() > v1::SEVERITY_LOW) {
    return InvalidError("a transition of " + in.alarm_id() + " with severity " +
                        std::to_string(static_cast<int>(in.severity())));
  }
  const std::optional<plan::Comparison> comparison = ParseComparison(in.comparison());
  if (!comparison) {
    return InvalidError("a transition of " + in.alarm_id() + " with comparison \"" +
                        in.comparison() + "\"");
  }
  engine::Transition t;
  t.alarm_id = in.alarm_id();
  t.service = in.service();
  t.name = in.name();
  std::vector<std::pair<std::string, std::string>> group;
  group.reserve(static_cast<std::size_t>(in.group_size()));
  for (const v1::Label& label : in.group()) group.emplace_back(label.name(), label.value());
  t.group = Labels(std::move(group));
  t.purpose = static_cast<engine::Purpose>(in.purpose());
  t.episode = InstantFromMs(in.episode_ms());
  t.step = in.step();
  t.state = static_cast<engine::AlarmState>(in.state());
  t.reason = in.reason();
  t.severity = SeverityFromProto(in.severity());
  t.owner = in.owner();
  t.expression = in.expression();
  t.value = in.value();
  t.value_low = in.value_low();
  t.value_high = in.value_high();
  t.threshold = in.threshold();
  t.comparison = *comparison;
  t.unit = in.unit();
  t.window = DurationFrom(in.window_ms());
  t.hold = DurationFrom(in.hold_ms());
  t.window_end = InstantFromMs(in.window_end_ms());
  t.since = InstantFromMs(in.since_ms());
  t.peak = in.peak();
  t.duration = DurationFrom(in.duration_ms());
  t.points = in.points();
  for (const v1::Contribution& c : in.top()) t.top.push_back({c.label(), c.value(), c.share()});
  for (const v1::Change& c : in.changes()) {
    t.changes.push_back({c.description(), InstantFromMs(c.time_ms())});
  }
  t.plan_version = in.plan_version();
  t.clock = InstantFromMs(in.clock_ms());
  t.clock_real = RealFromMs(in.clock_real_ms());
  t.source_offset = in.source_offset();
  t.probe_id = in.probe_id();
  t.summary = in.summary();
  t.runbook = in.runbook();
  if (in.severity_before() >= v1::SEVERITY_CRITICAL && in.severity_before() <= v1::SEVERITY_LOW) {
    t.severity_before = SeverityFromProto(in.severity_before());
  }
  t.swings = in.swings();
  t.flaps_within = DurationFrom(in.flaps_within_ms());
  t.quiet = DurationFrom(in.quiet_ms());
  t.groups_refused = in.groups_refused();
  t.compared = in.compared();
  t.origin = in.origin();
  t.link = in.link();
  t.heard = InstantFromMs(in.heard_ms());
  t.valid_until = InstantFromMs(in.valid_until_ms());
  t.budget = in.budget();
  return t;
}

}  // namespace liveops::evaluation
