// Where the series of a rule lie: over the shards of its service (ADR 9), and over those of other
// services that it reads (ADR 11).
#include <algorithm>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "common/plan/reads.h"
#include "services/rule-evaluation/engine/readings.h"
#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

const ReadFrom* FindRead(const Service& service, std::string_view name) {
  const auto it = std::find_if(service.reads.begin(), service.reads.end(),
                               [&](const ReadFrom& read) { return read.service == name; });
  return it == service.reads.end() ? nullptr : &*it;
}

}  // namespace

Share ShareOf(const State& s, const Service& service) {
  Share share;
  const std::int32_t all = s.limits.partitions;
  share.home = PartitionOf(service.name, all);
  share.of = std::clamp(service.spread, 1, static_cast<int>(all));
  share.index = static_cast<int>((s.limits.partition - share.home + all) % all);
  return share;
}

std::vector<std::int32_t> SourcesOf(const State& s, const Service& service, const RuleSpec& spec) {
  const std::int32_t all = s.limits.partitions;
  std::vector<std::int32_t> sources;
  const auto add = [&](std::int32_t first, int of) {
    for (std::int32_t i = 0; i < std::clamp(of, 1, static_cast<int>(all)); ++i) {
      const std::int32_t partition = (first + i) % all;
      if (std::find(sources.begin(), sources.end(), partition) == sources.end()) {
        sources.push_back(partition);
      }
    }
  };
  add(PartitionOf(service.name, all), plan::ReadsOwn(spec.when) ? service.spread : 1);
  for (const std::string& name : plan::ServicesRead(spec.when)) {
    const ReadFrom* read = FindRead(service, name);
    add(PartitionOf(name, all), read == nullptr ? 1 : read->spread);
  }
  return sources;
}

std::vector<Role> RolesOf(const State& s, const Service& service, const RuleSpec& spec) {
  const std::vector<std::int32_t> sources = SourcesOf(s, service, spec);
  if (std::find(sources.begin(), sources.end(), s.limits.partition) == sources.end()) return {};
  if (sources.size() == 1) return {Role::kWhole};
  if (s.limits.partition != sources.front()) return {Role::kSource};
  if (!spec.judges()) return {Role::kWhole};
  return {Role::kHome, Role::kSource};
}

std::int64_t SpreadFrom(const Service& service, const RuleSpec& spec) {
  std::int64_t from_ms = service.spread_from_ms;
  for (const std::string& name : plan::ServicesRead(spec.when)) {
    if (const ReadFrom* read = FindRead(service, name)) from_ms = std::max(from_ms, read->from_ms);
  }
  return from_ms;
}

std::uint64_t WindowsOf(const Service& service, const Rule& rule) {
  ByteWriter out;
  out.Signed(service.spread);
  out.Signed(service.spread_from_ms);
  out.Signed(rule.spec.when.quorum.needed);
  out.Signed(rule.spec.when.quorum.of);
  out.Signed(rule.spec.when.quorum.slot.count());
  for (std::size_t i = 0; i < rule.tests(); ++i) {
    const plan::Test& test = rule.test(i);
    out.String(plan::CanonicalText(test.measure));
    out.Varint(test.by.size());
    for (const std::string& name : test.by) out.String(name);
    out.Signed(test.window.count());
    out.Signed(test.ago.count());
    out.Bool(plan::IsUpward(test.op));
  }
  for (const std::string& name : plan::ServicesRead(rule.spec.when)) {
    const ReadFrom* read = FindRead(service, name);
    out.Signed(read == nullptr ? 1 : read->spread);
    out.Signed(read == nullptr ? kLongAgo : read->from_ms);
  }
  return Xxh64(out.bytes());
}

std::vector<ReadFrom> ReadsOf(const State& s, const PlanActivationView& view) {
  std::vector<ReadFrom> reads;
  for (const ServiceRead& read : view.reads) {
    const bool always = read.spread_from == RealTime{};
    reads.push_back({read.service, std::max(1, read.spread), read.spread_from,
                     always ? kLongAgo : ToMs(s.map.ToDomain(read.spread_from))});
  }
  return reads;
}

std::set<std::string> Moved(const std::vector<ReadFrom>& before, const std::vector<ReadFrom>& now) {
  std::set<std::string> moved;
  const auto add = [&](const std::vector<ReadFrom>& some, const std::vector<ReadFrom>& others) {
    for (const ReadFrom& read : some) {
      const auto it = std::find_if(others.begin(), others.end(),
                                   [&](const ReadFrom& o) { return o.service == read.service; });
      // One that is not named lies where it always did.
      const ReadFrom other = it == others.end() ? ReadFrom{read.service, 1, {}, kLongAgo} : *it;
      if (other.spread != read.spread || other.from_ms != read.from_ms) moved.insert(read.service);
    }
  };
  add(before, now);
  add(now, before);
  return moved;
}

bool ReadsAnyOf(const RuleSpec& spec, const std::set<std::string>& services) {
  const std::vector<std::string> read = plan::ServicesRead(spec.when);
  return std::any_of(read.begin(), read.end(),
                     [&](const std::string& name) { return services.contains(name); });
}

void LinkReads(State& s, Rule& rule) {
  rule.others.clear();
  for (const std::string& name : plan::ServicesRead(rule.spec.when)) {
    Service& read = ServiceOf(s, name);
    rule.others.push_back(s.service_index.find(name)->second);
    if (rule.home) continue;  // no series feed it
    read.readers.push_back(&rule);
    Rebind(s, read);
  }
}

void UnlinkReads(State& s, Rule& rule) {
  for (const std::uint32_t number : rule.others) {
    Service& read = *s.services[number];
    std::erase(read.readers, &rule);
    Rebind(s, read);
  }
  rule.others.clear();
}

std::int64_t RefusedAt(const State& s, const Rule& rule) {
  std::int64_t refused = s.refused_ms[rule.service];
  for (const std::uint32_t number : rule.others) refused = std::max(refused, s.refused_ms[number]);
  return refused;
}

std::vector<std::string> ServicesAt(const State& s, const Rule& rule, std::int32_t partition) {
  const Service& own = *s.services[rule.service];
  const std::int32_t all = s.limits.partitions;
  std::vector<std::string> names;
  const auto add = [&](const std::string& name, int spread) {
    const std::int32_t index = (partition - PartitionOf(name, all) + all) % all;
    if (index < spread) names.push_back(name);
  };
  if (plan::ReadsOwn(rule.spec.when)) add(own.name, own.spread);
  for (const std::string& name : plan::ServicesRead(rule.spec.when)) {
    const ReadFrom* read = FindRead(own, name);
    add(name, read == nullptr ? 1 : read->spread);
  }
  return names;
}

}  // namespace liveops::engine
