#include <algorithm>

#include "common/base/spread.h"
#include "common/plan/parse.h"
#include "services/rule-evaluation/engine/activate.h"
#include "services/rule-evaluation/engine/snapshot_parts.h"

namespace liveops::engine {

namespace {

void WriteSlots(const Slots& slots, ByteWriter& out) {
  out.Varint(slots.size());
  for (const auto& [slot, verdict] : slots) {
    out.Signed(slot);
    out.Varint(static_cast<std::uint64_t>(verdict));
  }
}

void ReadSlots(Slots& slots, ByteReader& in) {
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    const std::int64_t slot = in.Signed();
    slots.emplace_back(slot, static_cast<Verdict>(in.Varint() % 3));
  }
}

}  // namespace

void WriteFindings(const Group& g, ByteWriter& out) {
  WriteJudgement(g.last, out);
  out.Varint(g.results.size());
  for (const TestResult& r : g.results) {
    out.Varint(static_cast<std::uint64_t>(r.verdict));
    out.Varint(static_cast<std::uint64_t>(r.why));
    for (const double v : {r.value, r.points, r.compared.now, r.compared.then}) out.Double(v);
  }
  WriteSlots(g.slots, out);
  for (const Slots& slots : g.level_slots) WriteSlots(slots, out);
}

bool ReadFindings(const Rule& rule, Group& group, ByteReader& in) {
  group.results.clear();
  group.slots.clear();
  for (Slots& slots : group.level_slots) slots.clear();
  if (!ReadJudgement(group.last, in) || group.last.test >= rule.tests()) return false;
  const std::uint64_t results = in.Varint();
  if (results != 0 && results != rule.tests()) return false;
  for (std::uint64_t i = 0; i < results; ++i) {
    const std::uint64_t verdict = in.Varint();
    const std::uint64_t why = in.Varint();
    if (verdict > 2 || why > static_cast<std::uint64_t>(Why::kNoRank)) return false;
    TestResult& result = group.results.emplace_back();
    result.verdict = static_cast<Verdict>(verdict);
    result.why = static_cast<Why>(why);
    for (double* v : {&result.value, &result.points, &result.compared.now, &result.compared.then}) {
      *v = in.Double();
    }
  }
  ReadSlots(group.slots, in);
  for (Slots& slots : group.level_slots) ReadSlots(slots, in);
  return in.ok();
}

namespace {

void WriteGroup(const Rule& rule, const Group& g, ByteWriter& out) {
  out.String(g.key);
  out.Varint(g.number);
  out.Bool(g.active);
  out.Signed(g.taken_over_ms);
  out.Signed(g.silence_ms);
  g.life.Write(out);
  out.Varint(g.level);
  for (const Life& level : g.levels) level.Write(out);
  WriteFindings(g, out);
  for (const auto& cells : g.own) {
    if (cells) WriteCells(rule, *cells, out);
  }
}

bool ReadGroup(State& s, Rule& rule, ByteReader& in) {
  const std::string key(in.String());
  const auto labels = Labels::Decode(key);
  if (!labels || !in.ok() || rule.groups.contains(key)) return false;
  auto read = std::make_unique<Group>();
  Group& group = *read;
  group.key = key;
  group.labels = *labels;
  GiveCells(rule, group);
  rule.groups.emplace(key, std::move(read));
  ++s.group_count;
  group.number = in.Varint();
  const bool active = in.Bool();
  group.taken_over_ms = in.Milliseconds();
  group.silence_ms = in.Milliseconds();
  if (!group.life.Read(in)) return false;
  group.level = static_cast<std::uint8_t>(in.Varint() & 15);
  group.levels.resize(rule.spec.levels.size());
  group.level_slots.resize(rule.spec.levels.size());
  if (group.level > group.levels.size()) return false;
  for (Life& level : group.levels) {
    if (!level.Read(in)) return false;
  }
  if (group.life.test >= rule.tests() || !ReadFindings(rule, group, in)) return false;
  for (const auto& cells : group.own) {
    if (cells && !ReadCells(s, rule, *cells, in)) return false;
  }
  if (active) Activate(rule, group);
  return true;
}

void WriteProbe(const Probe& probe, ByteWriter& out) {
  out.String(probe.id);
  out.String(probe.expression);
  out.Signed(ToMs(probe.started));
  out.Signed(probe.within.count());
}

Probe ReadProbe(ByteReader& in) {
  Probe probe;
  probe.id = in.String();
  probe.expression = in.String();
  probe.started = InstantFromMs(in.Milliseconds());
  probe.within = Duration(in.Milliseconds());
  return probe;
}

void WriteRule(const Rule& rule, ByteWriter& out) {
  out.String(rule.spec.name);
  out.Bool(rule.probe.has_value());
  if (rule.probe) {
    WriteProbe(*rule.probe, out);
    out.String(rule.spec.owner);
    out.Double(rule.spec.min_count);
  }
  out.Varint(rule.number);
  for (const std::int64_t v : {rule.lateness_ms, rule.judged, rule.born_ms}) out.Signed(v);
  WriteRole(rule, out);
  out.Bool(rule.seen);
  out.Bool(rule.negatives);
  WriteOverflow(rule, out);
  WriteRolls(rule, out);
  out.Varint(rule.groups.size());
  for (const auto& [key, group] : rule.groups) WriteGroup(rule, *group, out);
  for (const auto& shared : rule.shared) {
    out.Varint(shared.size());
    for (const auto& [key, cells] : shared) {
      out.String(key);
      WriteCells(rule, *cells, out);
    }
  }
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
  probe = ReadProbe(in);
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
  constexpr std::int64_t kFar = std::int64_t{1} << 53;  // beyond it is no time of ours
  const bool sane = rule.lateness_ms >= 0 && rule.lateness_ms <= kFar &&
                    rule.judged >= -kFar / rule.step_ms && rule.judged <= kFar / rule.step_ms &&
                    rule.born_ms >= -kFar && rule.born_ms <= kFar;
  if (!sane || !ReadRole(rule, in)) return false;
  rule.seen = in.Bool();
  rule.negatives = in.Bool();
  AddRule(s, service, std::move(made));
  if (!ReadOverflow(s, rule, in) || !ReadRolls(rule, in)) return false;
  for (std::uint64_t n = in.Varint(); n > 0; --n) {
    if (!ReadGroup(s, rule, in)) return false;
  }
  for (std::size_t test = 0; test < rule.stores(); ++test) {
    for (std::uint64_t n = in.Varint(); n > 0; --n) {
      const auto labels = Labels::Decode(in.String());
      if (!labels || !in.ok()) return false;
      if (!ReadCells(s, rule, SharedCells(rule, test, *labels), in)) return false;
    }
  }
  Schedule(s, rule);
  return in.ok();
}

}  // namespace

void WriteService(const Service& service, ByteWriter& out) {
  out.String(service.name);
  out.Varint(service.version);
  out.String(service.text);
  out.Varint(static_cast<std::uint64_t>(service.spread));
  out.Signed(service.spread_from_ms);
  out.Varint(service.reads.size());
  for (const ReadFrom& read : service.reads) {
    out.String(read.service);
    out.Varint(static_cast<std::uint64_t>(read.spread));
    out.Signed(ToMs(read.from));
    out.Signed(read.from_ms);
  }
  out.Varint(service.deployments.size());
  for (const Deployment& d : service.deployments) {
    out.String(d.revision);
    out.String(d.description);
    out.String(d.actor);
    out.Signed(ToMs(d.time));
  }
  WriteForeign(service.foreign, out);
  out.Varint(service.decommissions.size());
  for (const Decommission& d : service.decommissions) {
    out.String(d.labels.Encode());
    out.String(d.reason);
    out.String(d.actor);
    out.Signed(ToMs(d.time));
  }
  out.Varint(service.awaiting.size());
  for (const Probe& probe : service.awaiting) WriteProbe(probe, out);
  out.Varint(service.rules.size());
  for (const auto& rule : service.rules) WriteRule(*rule, out);
}

bool ReadService(State& s, ByteReader& in) {
  const auto number = static_cast<std::uint32_t>(s.services.size());
  Service& service = ServiceOf(s, in.String());
  if (s.services.size() != number + 1) return false;  // twice
  service.version = in.Varint();
  service.text = in.String();
  service.spread = static_cast<int>(in.Varint() % (kSpreadMax + 1));
  service.spread_from_ms = in.Milliseconds(kLongAgo);
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    ReadFrom& read = service.reads.emplace_back();
    read.service = in.String();
    read.spread = static_cast<int>(in.Varint() % (kSpreadMax + 1));
    read.from = RealFromMs(in.Milliseconds());
    read.from_ms = in.Milliseconds(kLongAgo);
  }
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    Deployment& d = service.deployments.emplace_back();
    d.revision = in.String();
    d.description = in.String();
    d.actor = in.String();
    d.time = InstantFromMs(in.Milliseconds());
  }
  if (!in.ok() || !ReadForeign(service.foreign, in)) return false;
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    Decommission& d = service.decommissions.emplace_back();
    const auto labels = Labels::Decode(in.String());
    if (!labels || labels->empty()) return false;
    d.labels = *labels;
    d.reason = in.String();
    d.actor = in.String();
    d.time = InstantFromMs(in.Milliseconds());
  }
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    service.awaiting.push_back(ReadProbe(in));
    if (service.awaiting.size() > kProbesAwaitingMax) return false;
  }
  if (!in.ok()) return false;
  std::vector<RuleSpec> specs;
  if (service.version > 0) {
    const plan::ParseResult parsed = plan::Parse(service.text);
    if (!parsed.ok()) return false;
    specs = SpecsOf(parsed.plan);
    service.foreign_owner = parsed.plan.OwnerOfForeign();
  }
  for (std::uint64_t n = in.Varint(); n > 0; --n) {
    if (!in.ok() || !ReadRule(s, service, number, specs, in)) return false;
  }
  return in.ok();
}

}  // namespace liveops::engine
