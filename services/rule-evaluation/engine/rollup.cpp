// The half that tells. What a part holds is encoded as in a snapshot, but for the numbers of series
// and groups, which are a shard's own.
#include "services/rule-evaluation/engine/rollup.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "services/rule-evaluation/engine/readings.h"
#include "services/rule-evaluation/engine/rollup_parts.h"
#include "services/rule-evaluation/engine/snapshot_parts.h"

namespace liveops::engine {
namespace {

// A record waits for so much to be encoded, and for what one piece adds to it.
constexpr std::size_t kPartBytes = 32 << 10;
constexpr std::size_t kMembersAtOnce = 32;
// So much of what need not be told is looked at for one record: members of cells, and cells.
constexpr std::size_t kLookedAtOnce = 256;
constexpr std::size_t kPiecesAtOnce = 64;
// Kafka takes a megabyte. One piece is larger only with hundreds of large sketches; then the rule's
// windows are rebuilt as they fill.
constexpr std::size_t kPartMax = 900 << 10;

void Begin(State& s, Rolls& rolls) {
  const bool near = rolls.near;
  rolls = Rolls();
  rolls.near = near;
  rolls.began = s.position;
  rolls.next_ms = s.now_ms() + kRoundMs;
}

void WriteHead(const Rule& rule, ByteWriter& out) {
  out.Varint(kRollupFormat);
  out.Bool(rule.seen);
  out.Bool(rule.negatives);
  out.Signed(rule.lateness_ms);
  out.Signed(rule.judged);
}

// Is its alarm as that of a group of which nobody knows anything?
bool IsCalm(const Group& group) {
  return group.life.state == AlarmState::kOk && group.life.openings.empty();
}

// Of windows that a replay fills: would it not find by itself how the group stands?
bool IsOnItsWay(const Group& group) {
  return !IsCalm(group) || !group.slots.empty() || !group.HasMembers();
}

// Of an open alarm the log of transitions says that it is, and wins.
void WriteStand(const Group& group, ByteWriter& out) {
  out.Bool(group.active);
  out.Signed(group.silence_ms);
  out.Bool(!IsCalm(group));
  if (!IsCalm(group)) {
    group.life.Write(out);
    for (const Life& level : group.levels) level.Write(out);
  }
  WriteFindings(group, out);
}

void WriteKind(RollupPiece kind, ByteWriter& out) { out.Varint(static_cast<std::uint64_t>(kind)); }

// Does a replay that began kSeldomMs ago not bring back all that is known of it?
bool IsSeldom(const State& s, const Series& series) {
  return series.gap_count < series.gaps.size() ||
         s.now_ms() - series.last_ms +
                 std::accumulate(series.gaps.begin(), series.gaps.end(), std::int64_t{0}) >
             kSeldomMs;
}

// True when something was told.
bool TellCells(const State& s, const Rule& rule, Rolls& rolls, const Cells& cells,
               ByteWriter& out) {
  const bool first = rolls.member == 0;
  rolls.member = std::min(rolls.member, cells.members.size());
  const std::size_t looked_max = rolls.member + (rolls.near ? kLookedAtOnce : kMembersAtOnce);
  std::vector<std::size_t> told;
  for (; rolls.member < std::min(cells.members.size(), looked_max); ++rolls.member) {
    if (told.size() == kMembersAtOnce) break;
    const Series& series = s.series.at(cells.members[rolls.member].series);
    if (!rolls.near || IsSeldom(s, series)) told.push_back(rolls.member);
  }
  if (rolls.near && told.empty()) return false;
  WriteKind(rolls.shared ? RollupPiece::kSharedCells : RollupPiece::kCells, out);
  out.String(cells.key);
  out.Varint(rolls.store);
  const bool anew = first || rolls.near;
  out.Bool(anew);
  if (anew) WriteObserved(cells, out);
  out.Varint(told.size());
  for (const std::size_t column : told) {
    WriteSeries(s.series.at(cells.members[column].series), out);
    WriteMember(rule, cells, column, out);
  }
  return true;
}

// The first key after this one.
void Pass(std::string& key) { key.push_back('\0'); }

bool TellGroup(const State& s, const Rule& rule, Rolls& rolls, ByteWriter& out) {
  const auto at = rule.groups.lower_bound(rolls.key);
  if (at == rule.groups.end()) return false;
  const Group& group = *at->second;
  if (at->first != rolls.key) {
    rolls.key = at->first;
    rolls.store = rolls.member = 0;
  }
  const auto tell_group = [&] {
    WriteKind(RollupPiece::kGroup, out);
    out.String(group.key);
    WriteStand(group, out);
  };
  if (rolls.store == 0 && rolls.member == 0 && (!rolls.near || IsOnItsWay(group))) tell_group();
  while (rolls.store < group.own.size() && !group.own[rolls.store]) ++rolls.store;
  if (rolls.store < group.own.size()) {
    const Cells& cells = *group.own[rolls.store];
    if (TellCells(s, rule, rolls, cells, out) && rolls.near) tell_group();
    if (rolls.member < cells.members.size()) return true;
    ++rolls.store;
    rolls.member = 0;
  }
  if (rolls.store >= group.own.size()) {
    Pass(rolls.key);
    rolls.store = 0;
  }
  return true;
}

bool TellShared(const State& s, const Rule& rule, Rolls& rolls, ByteWriter& out) {
  for (; rolls.store < rule.shared.size(); ++rolls.store, rolls.key.clear(), rolls.member = 0) {
    const auto& shared = rule.shared[rolls.store];
    const auto at = shared.lower_bound(rolls.key);
    if (at == shared.end()) continue;
    if (at->first != rolls.key) {
      rolls.key = at->first;
      rolls.member = 0;
    }
    TellCells(s, rule, rolls, *at->second, out);
    if (rolls.member < at->second->members.size()) return true;
    Pass(rolls.key);
    rolls.member = 0;
    return true;
  }
  return false;
}

// One piece; false when all are told.
bool TellPiece(const State& s, const Rule& rule, Rolls& rolls, ByteWriter& out) {
  if (!rolls.shared) {
    if (TellGroup(s, rule, rolls, out)) return true;
    rolls.shared = true;
    rolls.key.clear();
    rolls.store = rolls.member = 0;
  }
  return TellShared(s, rule, rolls, out);
}

// From when on everything is known, and silence proves something; nothing of that while there is a
// doubt now.
void WriteKnowledge(const State& s, const Rule& rule, ByteWriter& out) {
  out.Signed(rule.born_ms);
  out.Signed(HardFrom(s, rule));
  out.Signed(KnownFrom(s, rule));
  out.Signed(rule.rolls->next_ms);
  const RealTime doubted = s.presence.doubted();
  const bool vouched = rule.vouched && rule.vouched->doubt_mark == ToMs(doubted);
  out.Bool(s.presence.ticked() && !s.presence.in_doubt(s.clock.now()));
  out.Signed(std::max(vouched ? rule.vouched->doubt_ms : ToMs(s.map.ToDomain(doubted)),
                      RefusedAt(s, rule)));
  const auto counts = [&](const Hole& hole) {
    return hole.service == kNoService || rule.Watches(hole.service);
  };
  out.Varint(static_cast<std::uint64_t>(std::count_if(s.holes.begin(), s.holes.end(), counts)));
  for (const Hole& hole : s.holes) {
    if (!counts(hole)) continue;
    out.Signed(hole.from_ms);
    out.Signed(hole.to_ms);
    out.Bool(hole.service == kNoService);
  }
}

void TellPart(State& s, Rule& rule) {
  BeforeService(s, rule.service);
  Rolls& rolls = *rule.rolls;
  if (rolls.began < 0) Begin(s, rolls);
  ByteWriter out;
  WriteHead(rule, out);
  const std::size_t head = out.size();
  bool more = true;
  for (std::size_t i = 0; more && out.size() < kPartBytes; ++i) {
    if (rolls.near && i == kPiecesAtOnce) break;
    more = TellPiece(s, rule, rolls, out);
  }
  // Of what nobody feeds any more a replay would not know that somebody did.
  const bool fed_once = rule.seen && !rule.fed();
  if (rolls.near && rolls.part == 0 && !more && out.size() == head && !fed_once) {
    rolls.began = -1;  // a replay brings everything back
    return;
  }
  WriteKind(RollupPiece::kEnd, out);
  if (!more) WriteKnowledge(s, rule, out);
  out.Fixed64(Xxh64(out.bytes()));
  const Rollup part{s.services[rule.service]->name,
                    rule.spec.name,
                    RollupDigest(s, rule),
                    rolls.began,
                    rolls.part,
                    !more,
                    s.position,
                    out.Take()};
  ++rolls.part;
  if (!more || part.content.size() > kPartMax) rolls.began = -1;
  if (part.content.size() <= kPartMax) s.rolled.push_back(part);
}

}  // namespace

std::uint64_t RollupDigest(const State& s, const Rule& rule) {
  ByteWriter out;
  out.Fixed64(WindowsOf(*s.services[rule.service], rule));
  out.Varint(static_cast<std::uint64_t>(rule.role));
  out.String(rule.spec.expression);
  for (const Window& window : rule.windows) {
    out.Signed(window.pane_ms);
    out.Signed(window.panes);
  }
  out.Varint(rule.spec.levels.size());
  return Xxh64(out.bytes());
}

void PrepareRolls(State& s, Rule& rule) {
  // A probe is short; a home reads what others tell; who reports is known from the series.
  if (rule.probe || rule.home || rule.spec.room != Room::kGroups) return;
  // What slices were is counted for weeks: they are judged as by one who lost nothing.
  bool far = rule.spec.judges_slices();
  for (std::size_t i = 0; i < rule.stores(); ++i) {
    if (CountsReporters(rule.test(i))) return;
    far = far || rule.reach_ms(i) > kRollsBeyondMs;
  }
  if (!rule.rolls) rule.rolls = std::make_unique<Rolls>();
  rule.rolls->near = !far;
  MarkAwaited(s, rule);
  s.rolling.emplace(rule.number, &rule);
  s.roll_ms = 0;
}

void TellAnew(State& s, Rule& rule) {
  if (!rule.rolls) return;
  rule.rolls->began = -1;
  rule.rolls->next_ms = 0;
  s.roll_ms = 0;
}

void RestartRolls(State& s, Rule& rule, const Cells& cells) {
  if (!rule.rolls || rule.rolls->began < 0 || rule.rolls->member == 0) return;
  if (rule.rolls->key == cells.key && rule.rolls->store == cells.test) TellAnew(s, rule);
}

void RollUp(State& s) {
  if (s.rolling.empty() || !s.awaited.empty() || !s.clock.started()) return;
  const std::int64_t now = s.now_ms();
  if (now < s.roll_ms) return;
  s.roll_ms = INT64_MAX;
  for (const auto& [number, rule] : s.rolling) {
    if (rule->rolls->began >= 0 || now >= rule->rolls->next_ms) {
      s.roll_ms = 0;  // the next record looks again
      TellPart(s, *rule);
      return;
    }
    s.roll_ms = std::min(s.roll_ms, rule->rolls->next_ms);
  }
}

void WriteRolls(const Rule& rule, ByteWriter& out) {
  out.Bool(rule.vouched.has_value());
  if (rule.vouched) {
    const Vouched& v = *rule.vouched;
    for (const std::int64_t ms :
         {v.hard_mark, v.hard_ms, v.soft_mark, v.soft_ms, v.doubt_mark, v.doubt_ms}) {
      out.Signed(ms);
    }
  }
  if (!rule.rolls) return;
  const Rolls& rolls = *rule.rolls;
  out.Signed(rolls.next_ms);
  out.Signed(rolls.began);
  if (rolls.began < 0) return;
  out.Varint(rolls.part);
  out.Bool(rolls.shared);
  out.String(rolls.key);
  out.Varint(rolls.store);
  out.Varint(rolls.member);
}

bool ReadRolls(Rule& rule, ByteReader& in) {
  if (in.Bool()) {
    Vouched& v = rule.vouched.emplace();
    for (std::int64_t* ms :
         {&v.hard_mark, &v.hard_ms, &v.soft_mark, &v.soft_ms, &v.doubt_mark, &v.doubt_ms}) {
      *ms = in.Milliseconds(kLongAgo);
    }
  }
  if (!rule.rolls) return in.ok();
  Rolls& rolls = *rule.rolls;
  rolls.next_ms = in.Milliseconds();
  rolls.began = in.Signed();
  if (rolls.began < 0) return in.ok();
  rolls.part = static_cast<std::uint32_t>(in.Varint());
  rolls.shared = in.Bool();
  rolls.key = in.String();
  rolls.store = in.Varint();
  rolls.member = in.Varint();
  return in.ok();
}

bool RollupShelf::Round::Whole() const {
  return !parts.empty() && parts.rbegin()->second.last && parts.rbegin()->first + 1 == parts.size();
}

void RollupShelf::Put(std::int64_t epoch, Rollup rollup) {
  Round& round = rounds_[{rollup.service, rollup.rule, rollup.digest}][rollup.round];
  if (round.Whole()) return;
  if (round.epoch != epoch) round = {epoch, {}};
  round.parts.insert_or_assign(rollup.part, std::move(rollup));
}

std::deque<Rollup> RollupShelf::Take() {
  std::deque<Rollup> all;
  for (auto& [of, rounds] : rounds_) {
    for (auto& [began, round] : rounds) {
      if (!round.Whole()) continue;
      for (auto& [number, part] : round.parts) all.push_back(std::move(part));
    }
  }
  rounds_.clear();
  std::stable_sort(all.begin(), all.end(),
                   [](const Rollup& a, const Rollup& b) { return a.position < b.position; });
  return all;
}

}  // namespace liveops::engine
