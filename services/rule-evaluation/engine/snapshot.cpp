#include <algorithm>

#include "common/plan/parse.h"
#include "services/rule-evaluation/engine/state.h"

// The snapshot: a mark, the format version, the state in a fixed order, and a check sum. What a
// plan says is not written but read again from the plan's text; what is derived is made anew.
namespace liveops::engine {
namespace {

constexpr std::string_view kMark = "liveops-shard";
constexpr std::uint64_t kFormat = 2;

void WriteJudgement(const Judgement& j, ByteWriter& out) {
  out.Varint(static_cast<std::uint64_t>(j.verdict));
  out.Varint(static_cast<std::uint64_t>(j.why));
  out.Signed(ToMs(j.at));
  out.Bool(j.eager);
  for (const double v : {j.value, j.low, j.high, j.points}) out.Double(v);
}

bool ReadJudgement(Judgement& j, ByteReader& in) {
  const std::uint64_t verdict = in.Varint();
  const std::uint64_t why = in.Varint();
  if (verdict > 2 || why > 7) return false;
  j.verdict = static_cast<Verdict>(verdict);
  j.why = static_cast<Why>(why);
  j.at = InstantFromMs(in.Signed());
  j.eager = in.Bool();
  for (double* v : {&j.value, &j.low, &j.high, &j.points}) *v = in.Double();
  return in.ok();
}

void WriteMember(const Member& m, ByteWriter& out) {
  out.Varint(m.series);
  out.Varint(m.operand);
  out.Varint(static_cast<std::uint64_t>(m.cell));
  out.Double(m.factor);
  out.Signed(m.newest_ms);
  out.Double(m.newest);
  out.Double(m.newest_cover_ms);
  out.Varint(m.panes.entries().size());
  std::int64_t last = 0;
  for (const auto& entry : m.panes.entries()) {
    out.Signed(entry.index - last);
    last = entry.index;
    out.Double(entry.value.a);
    out.Double(entry.value.b);
    out.Double(entry.value.c);
  }
}

bool ReadMember(Member& m, ByteReader& in) {
  m.series = static_cast<std::uint32_t>(in.Varint());
  m.operand = static_cast<std::uint8_t>(in.Varint() & 1);
  const std::uint64_t cell = in.Varint();
  if (cell > 3) return false;
  m.cell = static_cast<Cell>(cell);
  m.factor = in.Double();
  m.newest_ms = in.Signed();
  m.newest = in.Double();
  m.newest_cover_ms = in.Double();
  std::int64_t index = 0;
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    index += in.Signed();
    CellPane pane;
    pane.a = in.Double();
    pane.b = in.Double();
    pane.c = in.Double();
    m.panes.Append(index, pane);
  }
  return in.ok();
}

void WriteGroup(const Group& g, ByteWriter& out) {
  out.String(g.key);
  out.Varint(g.number);
  out.Bool(g.active);
  out.Signed(g.taken_over_ms);
  out.Signed(g.silence_ms);
  g.life.Write(out);
  WriteJudgement(g.last, out);
  out.Varint(g.bounds.size());
  for (const double bound : g.bounds) out.Double(bound);
  for (const auto& panes : g.distributions) {
    out.Varint(panes.entries().size());
    for (const auto& entry : panes.entries()) {
      out.Signed(entry.index);
      entry.value.Write(out);
    }
  }
  out.Varint(g.members.size());
  for (const Member& m : g.members) WriteMember(m, out);
}

bool ReadGroup(State& s, Rule& rule, ByteReader& in) {
  auto group = std::make_unique<Group>();
  group->key = in.String();
  const auto labels = Labels::Decode(group->key);
  if (!labels) return false;
  group->labels = *labels;
  group->number = in.Varint();
  const bool active = in.Bool();
  group->taken_over_ms = in.Signed();
  group->silence_ms = in.Signed();
  if (!group->life.Read(in) || !ReadJudgement(group->last, in)) return false;
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) group->bounds.push_back(in.Double());
  for (auto& panes : group->distributions) {
    for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
      const std::int64_t index = in.Signed();
      sketch::Sketch pane;
      if (!pane.Read(in)) return false;
      panes.Append(index, std::move(pane));
    }
  }
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    Member& m = group->members.emplace_back();
    if (!ReadMember(m, in) || !s.series.Has(m.series)) return false;
    ++s.series.at(m.series).members;
  }
  if (!in.ok()) return false;
  Group& made = *group;
  if (!rule.groups.emplace(made.key, std::move(group)).second) return false;
  ++s.group_count;
  IndexMembers(s, rule, made);
  if (active) Activate(rule, made);
  return true;
}

void WriteRule(const Rule& rule, ByteWriter& out) {
  out.String(rule.spec.name);
  out.Bool(rule.probe.has_value());
  if (rule.probe) {
    out.String(rule.probe->id);
    out.String(rule.probe->expression);
    out.Signed(ToMs(rule.probe->started));
    out.Signed(rule.probe->within.count());
    out.String(rule.spec.owner);
    out.Double(rule.spec.min_count);
  }
  out.Varint(rule.number);
  for (const std::int64_t v : {rule.lateness_ms, rule.judged, rule.born_ms}) out.Signed(v);
  out.Bool(rule.seen);
  out.Bool(rule.negatives);
  out.Varint(rule.groups.size());
  for (const auto& [key, group] : rule.groups) WriteGroup(*group, out);
}

// The specification of a rule: the plan's next one of that name, or the probe's own.
bool ReadSpec(ByteReader& in, std::vector<RuleSpec>& specs, RuleSpec& spec,
              std::optional<Probe>& probe) {
  const std::string name(in.String());
  if (!in.Bool()) {
    const auto it =
        std::find_if(specs.begin(), specs.end(), [&](const RuleSpec& x) { return x.name == name; });
    if (it == specs.end()) return false;
    spec = *it;
    return true;
  }
  probe.emplace();
  probe->id = in.String();
  probe->expression = in.String();
  probe->started = InstantFromMs(in.Signed());
  probe->within = Duration(in.Signed());
  spec.name = name;
  spec.purpose = Purpose::kProbe;
  spec.severity = plan::Severity::kCritical;
  spec.owner = in.String();
  spec.min_count = in.Double();
  const auto condition = plan::ParseCondition(probe->expression);
  if (!condition.ok()) return false;
  spec.when = *condition;
  spec.expression = plan::CanonicalText(spec.when);
  return true;
}

bool ReadRule(State& s, Service& service, std::uint32_t number, std::vector<RuleSpec>& specs,
              ByteReader& in) {
  RuleSpec spec;
  std::optional<Probe> probe;
  if (!ReadSpec(in, specs, spec, probe)) return false;
  auto made = MakeRule(std::move(spec), in.Varint(), number);
  Rule& rule = *made;
  rule.probe = std::move(probe);
  for (std::int64_t* v : {&rule.lateness_ms, &rule.judged, &rule.born_ms}) *v = in.Signed();
  rule.seen = in.Bool();
  rule.negatives = in.Bool();
  AddRule(s, service, std::move(made));
  for (std::uint64_t n = in.Varint(); n > 0; --n) {
    if (!ReadGroup(s, rule, in)) return false;
  }
  Schedule(s, rule);
  return in.ok();
}

void WriteService(const Service& service, ByteWriter& out) {
  out.String(service.name);
  out.Varint(service.version);
  out.String(service.text);
  out.Signed(service.refused_ms);
  out.Varint(service.deployments.size());
  for (const Deployment& d : service.deployments) {
    out.String(d.revision);
    out.String(d.description);
    out.String(d.actor);
    out.Signed(ToMs(d.time));
  }
  out.Varint(service.rules.size());
  for (const auto& rule : service.rules) WriteRule(*rule, out);
}

bool ReadService(State& s, ByteReader& in) {
  const auto number = static_cast<std::uint32_t>(s.services.size());
  Service& service = ServiceOf(s, in.String());
  if (s.services.size() != number + 1) return false;  // twice
  service.version = in.Varint();
  service.text = in.String();
  service.refused_ms = in.Signed();
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    Deployment& d = service.deployments.emplace_back();
    d.revision = in.String();
    d.description = in.String();
    d.actor = in.String();
    d.time = InstantFromMs(in.Signed());
  }
  if (!in.ok()) return false;
  std::vector<RuleSpec> specs;
  if (service.version > 0) {
    const plan::ParseResult parsed = plan::Parse(service.text);
    if (!parsed.ok()) return false;
    specs = SpecsOf(parsed.plan);
  }
  for (std::uint64_t n = in.Varint(); n > 0; --n) {
    if (!in.ok() || !ReadRule(s, service, number, specs, in)) return false;
  }
  return in.ok();
}

// Whole, since one that no plan knows any more is told as it was.
void WriteTransition(const Transition& t, ByteWriter& out) {
  for (const std::string* v : {&t.alarm_id, &t.service, &t.name, &t.reason, &t.owner, &t.expression,
                               &t.unit, &t.probe_id, &t.summary, &t.runbook}) {
    out.String(*v);
  }
  out.String(t.group.Encode());
  for (const std::uint64_t v :
       {static_cast<std::uint64_t>(t.purpose), std::uint64_t{t.step},
        static_cast<std::uint64_t>(t.state), static_cast<std::uint64_t>(t.severity),
        static_cast<std::uint64_t>(t.comparison), t.points, t.plan_version}) {
    out.Varint(v);
  }
  for (const double v : {t.value, t.value_low, t.value_high, t.threshold, t.peak}) out.Double(v);
  for (const std::int64_t v :
       {ToMs(t.episode), t.window.count(), t.hold.count(), ToMs(t.window_end), ToMs(t.since),
        t.duration.count(), ToMs(t.clock), ToMs(t.clock_real), t.source_offset}) {
    out.Signed(v);
  }
}

bool ReadTransition(Transition& t, ByteReader& in) {
  for (std::string* v : {&t.alarm_id, &t.service, &t.name, &t.reason, &t.owner, &t.expression,
                         &t.unit, &t.probe_id, &t.summary, &t.runbook}) {
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
  for (double* v : {&t.value, &t.value_low, &t.value_high, &t.threshold, &t.peak}) *v = in.Double();
  t.episode = InstantFromMs(in.Signed());
  t.window = Duration(in.Signed());
  t.hold = Duration(in.Signed());
  t.window_end = InstantFromMs(in.Signed());
  t.since = InstantFromMs(in.Signed());
  t.duration = Duration(in.Signed());
  t.clock = InstantFromMs(in.Signed());
  t.clock_real = RealFromMs(in.Signed());
  t.source_offset = in.Signed();
  return in.ok();
}

template <typename C, typename F>
void EachCounter(C& c, F f) {
  for (auto* v : {&c.records, &c.points, &c.points_late, &c.points_duplicate, &c.points_future,
                  &c.points_unit_mismatch, &c.series_refused, &c.plans_refused, &c.clock_steps_held,
                  &c.judgements}) {
    f(*v);
  }
}

}  // namespace

std::string WriteState(const State& s) {
  ByteWriter out;
  out.String(kMark);
  out.Varint(kFormat);
  out.Signed(s.position);
  EachCounter(s.counters, [&](const std::uint64_t& v) { out.Varint(v); });
  s.clock.Write(out);
  s.presence.Write(out);
  s.sessions.Write(out);
  for (const std::int64_t v : {s.hard_from_ms, s.soft_from_ms, s.frozen_until_ms, s.housekept_ms}) {
    out.Signed(v);
  }
  out.Bool(s.mid_log);
  out.Varint(s.next_number);
  s.series.Write(out);
  out.Varint(s.services.size());
  for (const auto& service : s.services) WriteService(*service, out);
  out.Varint(s.adopted.size());
  for (const auto& [id, transition] : s.adopted) WriteTransition(transition, out);
  out.Fixed64(Xxh64(out.bytes()));
  return out.Take();
}

bool ReadState(State& s, std::string_view bytes, std::string& why) {
  ByteReader in(bytes);
  if (in.String() != kMark) {
    why = "the bytes are not a snapshot of a shard";
    return false;
  }
  if (const std::uint64_t format = in.Varint(); format != kFormat) {
    why = "the snapshot has format " + std::to_string(format) + ", this build reads " +
          std::to_string(kFormat);
    return false;
  }
  why = "the snapshot is damaged";
  if (bytes.size() < 8) return false;
  ByteReader sum(bytes.substr(bytes.size() - 8));
  if (sum.Fixed64() != Xxh64(bytes.substr(0, bytes.size() - 8))) return false;
  s.position = in.Signed();
  EachCounter(s.counters, [&](std::uint64_t& v) { v = in.Varint(); });
  if (!s.clock.Read(in) || !s.presence.Read(in) || !s.sessions.Read(in)) return false;
  for (std::int64_t* v : {&s.hard_from_ms, &s.soft_from_ms, &s.frozen_until_ms, &s.housekept_ms}) {
    *v = in.Signed();
  }
  s.mid_log = in.Bool();
  s.next_number = in.Varint();
  if (!s.series.Read(in)) return false;
  for (std::uint64_t n = in.Varint(); n > 0; --n) {
    if (!in.ok() || !ReadService(s, in)) return false;
  }
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    Transition t;
    if (!ReadTransition(t, in)) return false;
    s.adopted.emplace(t.alarm_id, std::move(t));
  }
  in.Fixed64();
  return in.ok() && in.AtEnd();
}

}  // namespace liveops::engine
