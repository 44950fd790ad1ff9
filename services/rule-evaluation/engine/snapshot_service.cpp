#include <algorithm>

#include "common/plan/parse.h"
#include "services/rule-evaluation/engine/snapshot_parts.h"

namespace liveops::engine {
namespace {

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
  if (verdict > 2 || why > static_cast<std::uint64_t>(Why::kNoThen)) return false;
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

void WriteMember(const Cells& cells, std::size_t column, std::int64_t from, ByteWriter& out) {
  const Member& m = cells.members[column];
  out.Varint(m.series);
  out.Varint(m.operand);
  out.Varint(static_cast<std::uint64_t>(m.cell));
  out.Double(m.factor);
  out.Double(m.bound);
  const auto write = [&](const Member::Last& last) {
    out.Signed(last.ms);
    out.Double(last.value);
    out.Double(last.cover_ms);
  };
  write(m.newest);
  out.Varint(m.older ? m.older->size() : 0);
  if (m.older) std::for_each(m.older->begin(), m.older->end(), write);
  std::uint64_t panes = 0;
  cells.grid.ForRows(from, cells.grid.last(),
                     [&](std::int64_t, const auto& row) { panes += row.Has(column) ? 1 : 0; });
  out.Varint(panes);
  std::int64_t last = 0;
  cells.grid.ForRows(from, cells.grid.last(), [&](std::int64_t index, const auto& r) {
    if (!r.Has(column)) return;
    out.Signed(index - last);
    last = index;
    for (const double v : {r.a[column], r.b[column], r.c == nullptr ? 0.0 : r.c[column]}) {
      out.Double(v);
    }
  });
}

void ReadLast(Member::Last& last, ByteReader& in) {
  last.ms = in.Milliseconds(INT64_MIN);
  last.value = in.Double();
  last.cover_ms = in.Double();
}

// A day, and beyond: nothing runs ahead of what was judged for longer.
constexpr std::int64_t kAheadMs = 90'000'000;

bool ReadMember(const Rule& rule, Cells& cells, ByteReader& in) {
  Member& m = cells.members.back();
  m.series = static_cast<std::uint32_t>(in.Varint());
  m.operand = static_cast<std::uint8_t>(in.Varint() % plan::Measure::kOperandsMax);
  const std::uint64_t cell = in.Varint();
  if (cell > static_cast<std::uint64_t>(Cell::kBucket)) return false;
  m.cell = static_cast<Cell>(cell);
  cells.gauges |= m.cell == Cell::kGauge;
  m.factor = in.Double();
  m.bound = in.Double();
  ReadLast(m.newest, in);
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    if (!m.older) m.older = std::make_unique<std::vector<Member::Last>>();
    ReadLast(m.older->emplace_back(), in);
  }
  const Window& window = rule.windows[cells.test];
  const std::int64_t from = rule.FirstKept(cells.test);
  const std::int64_t to = from + window.panes + kAheadMs / window.pane_ms;
  std::int64_t index = 0;
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    if (__builtin_add_overflow(index, in.Signed(), &index) || index < from || index > to) {
      return false;
    }
    double values[3];
    for (double& v : values) v = in.Double();
    auto pane = cells.grid.Put(index, cells.members.size() - 1, window.panes);
    pane.a = values[0];
    pane.b = values[1];
    if (values[2] != 0) pane.set_c(values[2]);
  }
  return in.ok();
}

void WriteRoll(const Roll& roll, ByteWriter& out) {
  out.Varint(roll.size());
  for (const auto& [value, series] : roll) {
    out.String(value);
    out.Varint(series.size());
    for (const std::uint32_t id : series) out.Varint(id);
  }
}

// The numbers of a value's series ascend.
bool ReadRoll(State& s, Rule& rule, Cells& cells, ByteReader& in) {
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    auto& series = cells.roll[std::string(in.String())];
    if (!series.empty()) return false;  // twice
    for (std::uint64_t k = in.Varint(); k > 0 && in.ok(); --k) {
      const std::uint64_t id = in.Varint();
      if (!s.series.Has(id) || (!series.empty() && id <= series.back())) return false;
      series.push_back(static_cast<std::uint32_t>(id));
      ++s.series.at(series.back()).members;
      ++rule.rolled;
    }
    if (series.empty()) return false;
  }
  return in.ok();
}

void WriteCells(const Rule& rule, const Cells& cells, ByteWriter& out) {
  out.Varint(cells.bounds.size());
  for (const double bound : cells.bounds) out.Double(bound);
  for (const auto& panes : cells.distributions) {
    out.Varint(panes.entries().size());
    for (const auto& entry : panes.entries()) {
      out.Signed(entry.index);
      entry.value.Write(out);
    }
  }
  out.Varint(cells.members.size());
  const std::int64_t from = rule.FirstKept(cells.test);
  for (std::size_t i = 0; i < cells.members.size(); ++i) WriteMember(cells, i, from, out);
  if (CountsReporters(rule.test(cells.test))) WriteRoll(cells.roll, out);
}

// Into cells that were made for their test.
bool ReadCells(State& s, Rule& rule, Cells& cells, ByteReader& in) {
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) cells.bounds.push_back(in.Double());
  for (auto& panes : cells.distributions) {
    for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
      const std::int64_t index = in.Signed();
      sketch::Sketch pane;
      if (!pane.Read(in)) return false;
      panes.Append(index, std::move(pane));
    }
  }
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    cells.grid.AddColumn();
    Member& m = cells.members.emplace_back();
    const bool good = ReadMember(rule, cells, in) && s.series.Has(m.series) &&
                      m.operand < cells.distributions.size();
    if (!good) {
      cells.members.pop_back();  // it is no member of a series that is there
      cells.grid.RemoveColumn(cells.members.size());
      return false;
    }
    ++s.series.at(m.series).members;
  }
  if (!in.ok()) return false;
  IndexMembers(s, rule, cells);
  return !CountsReporters(rule.test(cells.test)) || ReadRoll(s, rule, cells, in);
}

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

void WriteGroup(const Rule& rule, const Group& g, ByteWriter& out) {
  out.String(g.key);
  out.Varint(g.number);
  out.Bool(g.active);
  out.Signed(g.taken_over_ms);
  out.Signed(g.silence_ms);
  g.life.Write(out);
  out.Varint(g.level);
  for (const Life& level : g.levels) level.Write(out);
  WriteJudgement(g.last, out);
  out.Varint(g.results.size());
  for (const TestResult& r : g.results) {
    out.Varint(static_cast<std::uint64_t>(r.verdict));
    out.Varint(static_cast<std::uint64_t>(r.why));
    for (const double v : {r.value, r.points, r.compared.now, r.compared.then}) out.Double(v);
  }
  WriteSlots(g.slots, out);
  for (const Slots& slots : g.level_slots) WriteSlots(slots, out);
  for (const auto& cells : g.own) {
    if (cells) WriteCells(rule, *cells, out);
  }
}

bool ReadResults(const Rule& rule, Group& group, ByteReader& in) {
  const std::uint64_t results = in.Varint();
  if (results != 0 && results != rule.tests()) return false;
  for (std::uint64_t i = 0; i < results; ++i) {
    const std::uint64_t verdict = in.Varint();
    const std::uint64_t why = in.Varint();
    if (verdict > 2 || why > static_cast<std::uint64_t>(Why::kNoThen)) return false;
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
  if (!ReadJudgement(group.last, in)) return false;
  if (group.life.test >= rule.tests() || group.last.test >= rule.tests()) return false;
  if (!ReadResults(rule, group, in)) return false;
  for (const auto& cells : group.own) {
    if (cells && !ReadCells(s, rule, *cells, in)) return false;
  }
  if (active) Activate(rule, group);
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
  WriteOverflow(rule, out);
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
  probe.emplace();
  probe->id = in.String();
  probe->expression = in.String();
  probe->started = InstantFromMs(in.Milliseconds());
  probe->within = Duration(in.Milliseconds());
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
  if (!sane) return false;
  rule.seen = in.Bool();
  rule.negatives = in.Bool();
  AddRule(s, service, std::move(made));
  if (!ReadOverflow(s, rule, in)) return false;
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
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    Deployment& d = service.deployments.emplace_back();
    d.revision = in.String();
    d.description = in.String();
    d.actor = in.String();
    d.time = InstantFromMs(in.Milliseconds());
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

}  // namespace liveops::engine
