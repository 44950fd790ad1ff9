#include <algorithm>

#include "common/base/hash.h"
#include "services/rule-evaluation/engine/readings.h"
#include "services/rule-evaluation/engine/snapshot_parts.h"

// The snapshot is a row of sections, each with a check sum of its own: the head, the series by
// blocks of their numbers, the services. What a cut does not encode at once it encodes after later
// records, and before the section changes.
namespace liveops::engine {
namespace {

constexpr std::string_view kMark = "liveops-shard";
constexpr std::uint64_t kFormat = 17;
constexpr std::uint32_t kBlock = 256;  // series

template <typename C, typename F>
void EachCounter(C& c, F f) {
  for (auto* v : {&c.records, &c.points, &c.points_late, &c.points_duplicate, &c.points_future,
                  &c.points_unit_mismatch, &c.series_refused, &c.plans_refused, &c.clock_steps_held,
                  &c.judgements, &c.alerts, &c.alerts_refused}) {
    f(*v);
  }
}

std::string Sealed(ByteWriter& out) {
  out.Fixed64(Xxh64(out.bytes()));
  return out.Take();
}

// The bytes before the check sum; nothing when it does not fit them.
std::optional<std::string_view> Opened(std::string_view section) {
  if (section.size() < 8) return std::nullopt;
  const std::string_view bytes = section.substr(0, section.size() - 8);
  ByteReader sum(section.substr(bytes.size()));
  return sum.Fixed64() == Xxh64(bytes) ? std::optional(bytes) : std::nullopt;
}

std::uint32_t BlocksOf(const State& s) {
  return static_cast<std::uint32_t>((s.series.slots() + kBlock - 1) / kBlock);
}

std::string EncodeHead(const State& s) {
  ByteWriter out;
  out.String(kMark);
  out.Varint(kFormat);
  out.Varint(BlocksOf(s));
  out.Varint(s.services.size());
  out.Signed(s.position);
  EachCounter(s.counters, [&](const std::uint64_t& v) { out.Varint(v); });
  s.clock.Write(out);
  s.presence.Write(out);
  s.sessions.Write(out);
  for (const std::int64_t v :
       {s.hard_from_ms, s.soft_from_ms, s.frozen_until_ms, s.housekept_ms, s.foreign_judged_ms}) {
    out.Signed(v);
  }
  out.Varint(s.holes.size());
  for (const Hole& hole : s.holes) {
    out.Signed(hole.from_ms);
    out.Signed(hole.to_ms);
    out.Varint(hole.service);
  }
  out.Bool(s.mid_log);
  out.Varint(s.next_number);
  for (const std::int64_t refused : s.refused_ms) out.Signed(refused);
  s.series.WriteFree(out);
  out.Varint(s.adopted.size());
  for (const auto& [id, transition] : s.adopted) WriteTransition(transition, out);
  return Sealed(out);
}

std::string EncodeBlock(const State& s, std::uint32_t block) {
  ByteWriter out;
  s.series.WriteBlock(block * kBlock, kBlock, out);
  return Sealed(out);
}

std::string EncodeService(const State& s, std::uint32_t number) {
  ByteWriter out;
  WriteService(*s.services[number], out);
  return Sealed(out);
}

struct Head {
  std::uint64_t blocks = 0;
  std::uint64_t services = 0;
};

bool ReadHead(State& s, std::string_view section, Head& head, std::string& why) {
  ByteReader in(section);
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
  if (!Opened(section)) return false;
  head.blocks = in.Varint();
  head.services = in.Varint();
  s.position = in.Signed();
  EachCounter(s.counters, [&](std::uint64_t& v) { v = in.Varint(); });
  if (!s.clock.Read(in) || !s.presence.Read(in) || !s.sessions.Read(in)) return false;
  for (std::int64_t* v : {&s.hard_from_ms, &s.soft_from_ms, &s.frozen_until_ms, &s.housekept_ms,
                          &s.foreign_judged_ms}) {
    *v = in.Milliseconds(kLongAgo);
  }
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    Hole& hole = s.holes.emplace_back();
    hole.from_ms = in.Milliseconds(kLongAgo);
    hole.to_ms = in.Milliseconds(kLongAgo);
    hole.service = static_cast<std::uint32_t>(in.Varint());
  }
  s.mid_log = in.Bool();
  s.next_number = in.Varint();
  std::vector<std::int64_t> refused;
  for (std::uint64_t i = 0; i < head.services && in.ok(); ++i)
    refused.push_back(in.Milliseconds(kLongAgo));
  s.refused_ms = std::move(refused);
  if (!s.series.ReadFree(in)) return false;
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    Transition t;
    if (!ReadTransition(t, in)) return false;
    s.adopted.emplace(t.alarm_id, std::move(t));
  }
  return in.ok() && in.remaining() == 8;
}

// Each record judges what it made due, so no rule is far behind the clock, nor ahead of it.
bool JudgedOfLate(const State& s) {
  constexpr std::int64_t kDay = 86'400'000;
  if (!s.clock.started()) return true;
  return std::all_of(s.rules.begin(), s.rules.end(), [&](const auto& entry) {
    const Rule& rule = *entry.second;
    const std::int64_t behind = s.now_ms() - rule.judged_ms();
    return behind >= 0 && behind <= kDay + rule.lateness_ms + 2 * rule.step_ms;
  });
}

void EncodeInto(const State& s, Cut& cut, std::size_t section) {
  if (cut.done[section]) return;
  cut.done[section] = true;
  --cut.left;
  const auto blocks = static_cast<std::size_t>(cut.blocks);
  cut.sections[section] = section <= blocks
                              ? EncodeBlock(s, static_cast<std::uint32_t>(section - 1))
                              : EncodeService(s, static_cast<std::uint32_t>(section - 1 - blocks));
}

}  // namespace

void BeginCut(State& s) {
  auto cut = std::make_unique<Cut>();
  cut->position = s.position;
  cut->blocks = BlocksOf(s);
  cut->services = static_cast<std::uint32_t>(s.services.size());
  cut->left = cut->blocks + cut->services;
  cut->sections.resize(1 + cut->left);
  cut->done.resize(1 + cut->left);
  cut->sections[0] = EncodeHead(s);
  cut->done[0] = true;
  s.cut = std::move(cut);
}

bool ContinueCut(State& s, std::size_t bytes) {
  Cut& cut = *s.cut;
  for (std::size_t encoded = 0; cut.left > 0 && encoded < bytes; ++cut.next) {
    if (cut.done[cut.next]) continue;
    EncodeInto(s, cut, cut.next);
    encoded += cut.sections[cut.next].size();
  }
  return cut.left == 0;
}

void CutService(State& s, std::uint32_t number) {
  // One that came later is no part of it.
  if (number < s.cut->services) EncodeInto(s, *s.cut, 1 + std::size_t{s.cut->blocks} + number);
}

void CutSeries(State& s, std::uint32_t id) {
  if (id / kBlock < s.cut->blocks) EncodeInto(s, *s.cut, 1 + std::size_t{id / kBlock});
}

std::vector<std::string> WriteState(const State& s) {
  std::vector<std::string> sections = {EncodeHead(s)};
  for (std::uint32_t i = 0; i < BlocksOf(s); ++i) sections.push_back(EncodeBlock(s, i));
  for (std::uint32_t i = 0; i < s.services.size(); ++i) sections.push_back(EncodeService(s, i));
  return sections;
}

bool ReadState(State& s, std::span<const std::string_view> sections, std::string& why) {
  why = "the snapshot is empty";
  if (sections.empty()) return false;
  Head head;
  if (!ReadHead(s, sections[0], head, why)) return false;
  if (sections.size() != 1 + head.blocks + head.services) return false;
  std::vector<std::int64_t> refused = std::exchange(s.refused_ms, {});
  for (std::size_t i = 1; i < sections.size(); ++i) {
    const auto bytes = Opened(sections[i]);
    if (!bytes) return false;
    ByteReader in(*bytes);
    const bool read = i <= head.blocks ? s.series.ReadBlock(
                                             static_cast<std::uint32_t>(i - 1) * kBlock, kBlock, in)
                                       : ReadService(s, in);
    if (!read || !in.ok() || !in.AtEnd()) return false;
  }
  s.refused_ms = std::move(refused);
  for (const auto& [number, rule] : s.rules) LinkReads(s, *rule);
  return s.series.Complete() && JudgedOfLate(s);
}

}  // namespace liveops::engine
