#include "services/rule-evaluation/engine/snapshot_parts.h"

namespace liveops::engine {

void WriteJudgement(const Judgement& j, ByteWriter& out) {
  out.Varint(static_cast<std::uint64_t>(j.verdict));
  out.Varint(static_cast<std::uint64_t>(j.why));
  out.Signed(ToMs(j.at));
  out.Bool(j.eager);
  out.Varint(j.test);
  for (const double v : {j.value, j.low, j.high, j.points, j.compared.now, j.compared.then}) {
    out.Double(v);
  }
}

bool ReadJudgement(Judgement& j, ByteReader& in) {
  const std::uint64_t verdict = in.Varint();
  const std::uint64_t why = in.Varint();
  if (verdict > 2 || why > static_cast<std::uint64_t>(Why::kNoRank)) return false;
  j.verdict = static_cast<Verdict>(verdict);
  j.why = static_cast<Why>(why);
  j.at = InstantFromMs(in.Milliseconds());
  j.eager = in.Bool();
  j.test = static_cast<std::uint8_t>(in.Varint() % plan::Condition::kTestsMax);
  for (double* v : {&j.value, &j.low, &j.high, &j.points, &j.compared.now, &j.compared.then}) {
    *v = in.Double();
  }
  return in.ok();
}

void WriteTransition(const Transition& t, ByteWriter& out) {
  for (const std::string* v :
       {&t.alarm_id, &t.service, &t.name, &t.reason, &t.owner, &t.expression, &t.unit, &t.compared,
        &t.budget, &t.probe_id, &t.summary, &t.runbook}) {
    out.String(*v);
  }
  out.String(t.group.Encode());
  for (const std::uint64_t v :
       {static_cast<std::uint64_t>(t.purpose), std::uint64_t{t.step},
        static_cast<std::uint64_t>(t.state), static_cast<std::uint64_t>(t.severity),
        static_cast<std::uint64_t>(t.comparison), t.points, t.plan_version, std::uint64_t{t.swings},
        t.groups_refused}) {
    out.Varint(v);
  }
  for (const double v : {t.value, t.value_low, t.value_high, t.threshold, t.peak}) out.Double(v);
  for (const std::int64_t v :
       {ToMs(t.episode), t.window.count(), t.hold.count(), ToMs(t.window_end), ToMs(t.since),
        t.duration.count(), ToMs(t.clock), ToMs(t.clock_real), t.source_offset,
        t.flaps_within.count(), t.quiet.count()}) {
    out.Signed(v);
  }
}

bool ReadTransition(Transition& t, ByteReader& in) {
  for (std::string* v : {&t.alarm_id, &t.service, &t.name, &t.reason, &t.owner, &t.expression,
                         &t.unit, &t.compared, &t.budget, &t.probe_id, &t.summary, &t.runbook}) {
    *v = in.String();
  }
  const auto labels = Labels::Decode(in.String());
  if (!labels) return false;
  t.group = *labels;
  t.purpose = static_cast<Purpose>(in.Varint() & 7);
  t.step = static_cast<std::uint32_t>(in.Varint());
  t.state = static_cast<AlarmState>(in.Varint() & 15);
  t.severity = static_cast<plan::Severity>(in.Varint() & 3);
  t.comparison = static_cast<plan::Comparison>(in.Varint() & 3);
  t.points = in.Varint();
  t.plan_version = in.Varint();
  t.swings = static_cast<std::uint32_t>(in.Varint());
  t.groups_refused = in.Varint();
  for (double* v : {&t.value, &t.value_low, &t.value_high, &t.threshold, &t.peak}) *v = in.Double();
  t.episode = InstantFromMs(in.Milliseconds());
  t.window = Duration(in.Milliseconds());
  t.hold = Duration(in.Milliseconds());
  t.window_end = InstantFromMs(in.Milliseconds());
  t.since = InstantFromMs(in.Milliseconds());
  t.duration = Duration(in.Milliseconds());
  t.clock = InstantFromMs(in.Milliseconds());
  t.clock_real = RealFromMs(in.Milliseconds());
  t.source_offset = in.Signed();
  t.flaps_within = Duration(in.Milliseconds());
  t.quiet = Duration(in.Milliseconds());
  return in.ok();
}

void WriteOverflow(const Rule& rule, ByteWriter& out) {
  out.Bool(rule.overflow.has_value());
  if (!rule.overflow) return;
  const Overflow& overflow = *rule.overflow;
  out.Varint(overflow.refused.size());
  for (const auto& [hash, seen_ms] : overflow.refused) {
    out.Varint(hash);
    out.Signed(seen_ms);
  }
  overflow.alarm.life.Write(out);
  out.Signed(overflow.alarm.taken_over_ms);
  out.Varint(overflow.told);
  out.Signed(overflow.told_ms);
}

bool ReadOverflow(State& s, Rule& rule, ByteReader& in) {
  if (!in.Bool()) return in.ok();
  Overflow& overflow = OverflowOf(s, rule);
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    const std::uint64_t hash = in.Varint();
    overflow.refused[hash] = in.Milliseconds();
  }
  if (!overflow.alarm.life.Read(in)) return false;
  overflow.alarm.taken_over_ms = in.Milliseconds();
  overflow.told = in.Varint();
  overflow.told_ms = in.Milliseconds();
  return in.ok();
}

}  // namespace liveops::engine
