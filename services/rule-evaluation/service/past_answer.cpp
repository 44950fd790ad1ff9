#include "services/rule-evaluation/service/past_answer.h"

#include "services/rule-evaluation/codec/alarm_codec.h"
#include "services/rule-evaluation/codec/explain.h"
#include "services/rule-evaluation/codec/transition_proto.h"

namespace liveops::evaluation {

void FillPast(const PastAlarm& past, v1::PastAlarm& out) {
  out.set_alarm_id(past.alarm_id);
  out.set_at_ms(ToMs(past.at));
  if (past.view) {
    const engine::Transition* last = past.before ? &*past.before : nullptr;
    out.mutable_alarm()->ParseFromString(EncodeStatus(*past.view, last, past.partition));
  }
  out.set_why_not(past.why_not);
  for (const std::string& group : past.groups) out.add_groups(group);
  if (past.before) ToProto(*past.before, past.partition, *out.mutable_before());
  if (past.after) ToProto(*past.after, past.partition, *out.mutable_after());
  out.set_plan_version(past.plan_version);
  out.set_plan_applied_by(past.plan_applied_by);
  out.set_source_partition(past.partition);
  out.set_records(past.records);
  out.set_first_offset(past.first_offset);
  out.set_last_offset(past.last_offset);
  out.set_from_ms(ToMs(past.from));
  out.set_to_ms(ToMs(past.to));
  out.set_wanted_ms(ToMs(past.wanted));
  out.set_begins_late(past.begins_late);
  out.set_ends_early(past.ends_early);
  out.set_corrected(past.corrected);
  for (std::string& line : PastLines(out)) out.add_lines(std::move(line));
}

}  // namespace liveops::evaluation
