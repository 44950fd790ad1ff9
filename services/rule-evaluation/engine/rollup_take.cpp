// The half that takes in. A replay that passed the record after which a part stood so replaces what
// it found of those windows by it. Until the round's last part came, nothing is believed of the
// time before the replay: what is missing, damaged or of another rule leaves the windows unknown,
// as they are without rollups.
#include <algorithm>
#include <utility>

#include "common/base/hash.h"
#include "services/rule-evaluation/engine/rollup_parts.h"
#include "services/rule-evaluation/engine/slices.h"
#include "services/rule-evaluation/engine/snapshot_parts.h"

namespace liveops::engine {
namespace {

Rule* RuleOf(State& s, const Rollup& part) {
  const Service* service = FindService(std::as_const(s), part.service);
  if (service == nullptr) return nullptr;
  for (const auto& rule : service->rules) {
    if (rule->rolls && rule->spec.name == part.rule && RollupDigest(s, *rule) == part.digest) {
      return rule.get();
    }
  }
  return nullptr;
}

class Taker {
 public:
  Taker(State& s, Rule& rule, std::string_view content) : s_(s), rule_(rule), in_(content) {}

  bool Take(bool last) {
    if (near() && s_.now_ms() - s_.entered_ms < kSeldomMs) return false;
    if (!ReadHead()) return false;
    while (in_.ok()) {
      const std::uint64_t kind = in_.Varint();
      if (kind == static_cast<std::uint64_t>(RollupPiece::kEnd)) break;
      const bool read = kind == static_cast<std::uint64_t>(RollupPiece::kGroup)   ? ReadStand()
                        : kind == static_cast<std::uint64_t>(RollupPiece::kCells) ? ReadOwn()
                                                                                  : ReadShared();
      if (!read) return false;
    }
    if (!in_.ok() || (last && !ReadKnowledge())) return false;
    Schedule(s_, rule_);
    return in_.AtEnd();
  }

 private:
  // The replay knows the others, and fills the windows.
  bool near() const { return rule_.rolls->near; }

  bool ReadHead() {
    if (in_.Varint() != kRollupFormat) return false;
    rule_.seen |= in_.Bool();
    rule_.negatives |= in_.Bool();
    const std::int64_t lateness = in_.Milliseconds();
    const std::int64_t judged = in_.Signed();
    if (!in_.ok() || judged * rule_.step_ms > s_.now_ms()) return false;
    rule_.lateness_ms = std::max(rule_.lateness_ms, lateness);
    // What a source told it does not tell again.
    if (rule_.role == Role::kWhole || judged > rule_.judged) rule_.judged = judged;
    return true;
  }

  Group* Open(std::string_view key) {
    const auto labels = Labels::Decode(key);
    if (!labels || !in_.ok()) return nullptr;
    if (!rule_.groups.contains(key) && s_.group_count >= s_.limits.groups_max) return nullptr;
    return &OpenGroup(s_, rule_, *labels);
  }

  // What was told to people stands in the log of transitions, by which the group stands.
  static bool Fits(const Life& told, const Life& stands) {
    if (told.state == AlarmState::kPending) return !stands.open();
    return told.state == stands.state && told.episode == stands.episode && told.step == stands.step;
  }

  bool ReadStand() {
    Group* group = Open(in_.String());
    if (group == nullptr) return false;
    const bool active = in_.Bool() || group->life.open();
    active ? Activate(rule_, *group) : Deactivate(rule_, *group);
    group->silence_ms = std::max(group->silence_ms, in_.Milliseconds());
    if (in_.Bool()) {
      Life life;
      std::vector<Life> levels(group->levels.size());
      if (!life.Read(in_)) return false;
      for (Life& level : levels) {
        if (!level.Read(in_)) return false;
      }
      if (life.test < rule_.tests() && Fits(life, group->life)) {
        group->life = std::move(life);
        group->levels = std::move(levels);
      }
    }
    MarkChanged(s_, *group);
    return ReadFindings(rule_, *group, in_);
  }

  bool ReadOwn() {
    Group* group = Open(in_.String());
    const std::uint64_t store = in_.Varint();
    if (group == nullptr || store >= group->own.size() || !group->own[store]) return false;
    return ReadMembers(*group->own[store]);
  }

  bool ReadShared() {
    const auto labels = Labels::Decode(in_.String());
    const std::uint64_t store = in_.Varint();
    if (!labels || !in_.ok() || store >= rule_.stores() || rule_.Own(store)) return false;
    return ReadMembers(SharedCells(rule_, store, *labels));
  }

  bool ReadMembers(Cells& cells) {
    if (in_.Bool()) {
      if (!near()) ForgetMembers(s_, rule_, cells);
      cells.bounds.clear();
      for (auto& panes : cells.distributions) panes.Clear();
      for (auto& panes : cells.distinct) panes.Clear();
      if (!ReadObserved(cells, in_)) return false;
    }
    const bool read = ReadEach(cells);
    DropDoubles(cells);
    return read;
  }

  bool ReadEach(Cells& cells) {
    for (std::uint64_t n = in_.Varint(); n > 0 && in_.ok(); --n) {
      Series told;
      if (!ReadSeries(told, in_)) return false;
      const std::uint32_t id = Known(told);
      if (id == SeriesTable::kNone || !ReadMember(rule_, cells, id, in_)) return false;
      Take(s_.series.at(id), told);
      Index(cells);
    }
    return in_.ok();
  }

  std::uint32_t Known(const Series& told) {
    const std::uint32_t id = s_.series.Find(told.fingerprint);
    if (id != SeriesTable::kNone) {
      const Series& known = s_.series.at(id);
      return known.kind == told.kind && known.service == rule_.service ? id : SeriesTable::kNone;
    }
    if (s_.series.size() >= s_.limits.series_max) return SeriesTable::kNone;
    const std::uint32_t added = s_.series.Add(told.fingerprint, told.kind, rule_.service);
    s_.series.at(added).gap = static_cast<std::uint32_t>(s_.presence.gap());
    return added;
  }

  // What a series said last, and what it is compared with.
  static void Take(Series& series, Series& told) {
    series.has_last = told.has_last;
    series.left = told.left;
    series.slowest = std::max(series.slowest, told.slowest);
    series.last_ms = told.last_ms;
    series.last_start_ms = told.last_start_ms;
    series.seen_ms = std::max(series.seen_ms, told.seen_ms);
    series.unusable_ms = std::max(series.unusable_ms, told.unusable_ms);
    series.gap_count = told.gap_count;
    series.gaps = told.gaps;
    series.stream_count = told.stream_count;
    series.first_stream = told.first_stream;
    series.more = std::move(told.more);
    series.labels = std::move(told.labels);
  }

  // The last member. One that a record between two parts may have made anew goes for it.
  void Index(Cells& cells) {
    const auto at = static_cast<std::uint32_t>(cells.members.size() - 1);
    const Member& member = cells.members[at];
    Series& series = s_.series.at(member.series);
    ++series.members;
    if (member.forgotten) ++series.forgotten;
    series.generation = 0;
    const std::uint64_t key = Rule::MemberKey(member.series, cells.test, member.operand);
    const auto [known, fresh] = rule_.members.emplace(key, std::pair{&cells, at});
    if (fresh) return;
    std::vector<bool>& goes = doubles_[known->second.first];
    goes.resize(std::max<std::size_t>(goes.size(), known->second.second + 1));
    goes[known->second.second] = true;
    known->second = {&cells, at};
  }

  void DropDoubles(Cells& cells) {
    if (doubles_.empty()) return;
    for (auto& [of, goes] : doubles_) {
      goes.resize(of->members.size());
      DropMembers(s_, rule_, *of, goes);
    }
    doubles_.clear();
    IndexMembers(s_, rule_, cells);  // their places went with those of the old ones
  }

  bool ReadKnowledge() {
    Vouched v;
    const std::int64_t born = in_.Milliseconds(kLongAgo);
    v.hard_ms = in_.Milliseconds(kLongAgo);
    v.soft_ms = in_.Milliseconds(kLongAgo);
    const std::int64_t next = in_.Milliseconds();
    const bool proves = in_.Bool();
    v.doubt_ms = in_.Milliseconds(kLongAgo);
    std::vector<Hole> holes;
    for (std::uint64_t n = in_.Varint(); n > 0 && in_.ok(); --n) {
      Hole& hole = holes.emplace_back();
      hole.from_ms = in_.Milliseconds(kLongAgo);
      hole.to_ms = in_.Milliseconds(kLongAgo);
      hole.service = in_.Bool() ? kNoService : rule_.service;
    }
    if (!in_.ok()) return false;
    if (near()) {
      v.hard_ms = std::max(v.hard_ms, s_.hard_from_ms);
      v.soft_ms = std::max(v.soft_ms, s_.soft_from_ms);
    }
    v.hard_mark = s_.hard_from_ms;
    v.soft_mark = s_.soft_from_ms;
    v.doubt_mark = proves ? ToMs(s_.presence.doubted()) : kLongAgo;
    rule_.born_ms = born;
    rule_.vouched = v;
    rule_.rolls->next_ms = next;
    Remember(holes);
    s_.rules_whole += near() ? 0 : 1;
    return true;
  }

  // Those that the replay did not see.
  void Remember(const std::vector<Hole>& holes) {
    for (const Hole& hole : holes) {
      const bool known = std::any_of(s_.holes.begin(), s_.holes.end(), [&](const Hole& h) {
        return h.service == hole.service && h.from_ms <= hole.from_ms && h.to_ms >= hole.to_ms;
      });
      if (!known) s_.holes.push_back(hole);
    }
    std::stable_sort(s_.holes.begin(), s_.holes.end(),
                     [](const Hole& a, const Hole& b) { return a.from_ms < b.from_ms; });
  }

  State& s_;
  Rule& rule_;
  ByteReader in_;
  std::map<Cells*, std::vector<bool>> doubles_;  // by place
};

// What counts slices is of use from where they are judged as by one who lost nothing.
bool AwaitsSlices(const State& s, const Rule& rule) {
  const Rule* judge = SliceRuleOf(s, rule);
  return judge != nullptr && judge->rolls && judge->rolls->awaited;
}

// False: the round is of no use.
bool Take(State& s, const Rollup& part) {
  Rule* rule = RuleOf(s, part);
  if (rule == nullptr || part.content.size() < 8 || AwaitsSlices(s, *rule)) return false;
  const std::string_view bytes(part.content.data(), part.content.size() - 8);
  ByteReader sum(std::string_view(part.content).substr(bytes.size()));
  if (sum.Fixed64() != Xxh64(bytes)) return false;
  BeforeAll(s);
  return Taker(s, *rule, bytes).Take(part.last);
}

}  // namespace

// What judged before its round is there would say of windows known in part what the log, if it is
// true, says anyway.
void MarkAwaited(State& s, Rule& rule) {
  rule.rolls->awaited = false;
  if (s.awaited.empty()) return;
  const std::string& service = s.services[rule.service]->name;
  const std::uint64_t digest = RollupDigest(s, rule);
  rule.rolls->awaited = std::any_of(s.awaited.begin(), s.awaited.end(), [&](const Rollup& part) {
    return part.digest == digest && part.service == service && part.rule == rule.spec.name;
  });
}

void MarkAwaited(State& s) {
  for (const auto& [number, rule] : s.rolling) MarkAwaited(s, *rule);
}

void TakeRollups(State& s, std::int64_t before_offset) {
  if (s.awaited.empty()) return;
  // A round counts where the replay brings back all that came after it began.
  if (s.mid_log) {
    std::erase_if(s.awaited, [&](const Rollup& part) { return part.round < before_offset; });
    MarkAwaited(s);
  }
  while (!s.awaited.empty() && s.awaited.front().position < before_offset) {
    const Rollup part = std::move(s.awaited.front());
    s.awaited.pop_front();
    const bool taken = Take(s, part);
    if (taken && !part.last) continue;
    // The rest of a round of no use; after one that is taken in whole, all others.
    std::erase_if(s.awaited, [&](const Rollup& other) {
      return other.service == part.service && other.rule == part.rule &&
             other.digest == part.digest && (taken || other.round == part.round);
    });
    if (Rule* rule = RuleOf(s, part)) MarkAwaited(s, *rule);
  }
}

}  // namespace liveops::engine
