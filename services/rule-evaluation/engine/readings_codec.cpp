// How readings are encoded: each part stands for itself, with what holds for the whole rule in
// front.
#include <algorithm>
#include <limits>
#include <utility>

#include "services/rule-evaluation/engine/readings.h"

namespace liveops::engine {
namespace {

constexpr std::uint64_t kFormat = 1;
// Above it a part is full; a group more may stand in it.
constexpr std::size_t kPartBytes = 256 << 10;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
// Times before it are as good as never.
constexpr std::int64_t kEarliest = -(std::int64_t{1} << 53);
// Of who has no observations, and says which of the others' still stand.
constexpr std::int64_t kNoPane = kEarliest;

// Flags, as many as a number has bits.
class FlagWriter {
 public:
  void Add(bool flag) { bits_ |= std::uint64_t{flag} << count_++; }
  void Write(ByteWriter& out) const { out.Varint(bits_); }

 private:
  std::uint64_t bits_ = 0;
  int count_ = 0;
};
class FlagReader {
 public:
  explicit FlagReader(ByteReader& in) : bits_(in.Varint()) {}
  bool Next() {
    const bool flag = (bits_ & 1) != 0;
    bits_ >>= 1;
    return flag;
  }

 private:
  std::uint64_t bits_;
};

void WriteIncrease(const Increase& i, ByteWriter& out) {
  for (const double v : {i.raw, i.estimate, i.per_ms}) out.Double(v);
}
void ReadIncrease(Increase& i, ByteReader& in) {
  for (double* v : {&i.raw, &i.estimate, &i.per_ms}) *v = in.Double();
}

bool Counts(const Increase& i) { return i.known || i.rate_known; }
bool Differ(const Increase& a, const Increase& b) {
  return a.known != b.known || a.rate_known != b.rate_known || a.raw != b.raw ||
         a.estimate != b.estimate || a.per_ms != b.per_ms;
}

void WriteTally(const Tally& t, const Increase& sure, ByteWriter& out) {
  const Observed& o = t.observed;
  const bool stands = !o.in_window && o.stands_from != kNever;
  const bool differ = Differ(sure, t.counted);
  FlagWriter flags;
  for (const bool flag : {t.has_counters, t.has_buckets, t.has_gauges, t.counted.known,
                          t.counted.rate_known, t.gauges.has_value(), o.any || stands, o.in_window,
                          stands, differ, sure.known, sure.rate_known}) {
    flags.Add(flag);
  }
  flags.Write(out);
  if (Counts(t.counted)) WriteIncrease(t.counted, out);
  if (differ) WriteIncrease(sure, out);
  if (t.has_buckets) {
    out.Varint(t.upto.size());
    for (const auto& [bound, count] : t.upto) {
      out.Double(bound);
      out.Double(count);
    }
  }
  if (t.gauges) out.Double(*t.gauges);
  if (!o.any && !stands) return;
  if (!o.in_window) out.Signed(o.any ? o.pane : kNoPane);
  if (stands) out.Signed(o.stands_from);
  o.sketch.Write(out);
}

bool ReadTally(Tally& t, Increase& sure, ByteReader& in) {
  FlagReader flags(in);
  Observed& o = t.observed;
  t.has_counters = flags.Next();
  t.has_buckets = flags.Next();
  t.has_gauges = flags.Next();
  t.counted.known = flags.Next();
  t.counted.rate_known = flags.Next();
  const bool gauges = flags.Next();
  o.any = flags.Next();
  o.in_window = flags.Next();
  const bool stands = flags.Next();
  const bool differ = flags.Next();
  sure.known = flags.Next();
  sure.rate_known = flags.Next();
  if (Counts(t.counted)) ReadIncrease(t.counted, in);
  if (differ) {
    ReadIncrease(sure, in);
  } else {
    sure = t.counted;
  }
  if (t.has_buckets) {
    for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
      const double bound = in.Double();
      t.upto.emplace_back(bound, in.Double());
    }
  }
  if (gauges) t.gauges = in.Double();
  if (!o.any) return in.ok();
  if (!o.in_window) o.pane = in.Signed();
  if (stands) o.stands_from = in.Signed();
  o.any = o.in_window || o.pane != kNoPane;
  return o.sketch.Read(in) && in.ok();
}

bool Empty(const StoreReading& store) {
  return !store.members && std::none_of(store.tallies.begin(), store.tallies.end(),
                                        [](const Tally& t) { return t.observed.any; });
}

void WriteStore(const StoreReading& store, ByteWriter& out) {
  const bool empty = Empty(store);
  FlagWriter flags;
  for (const bool flag : {empty, store.members, store.left, store.misses, store.fresh,
                          store.primary, store.spoke, store.absent, store.departs, store.forgotten,
                          store.adds, store.negative, !store.bounds.empty(), !store.top.empty()}) {
    flags.Add(flag);
  }
  flags.Write(out);
  if (empty) return;
  out.Signed(store.last_ms);
  for (std::size_t i = 0; i < store.tallies.size(); ++i) {
    WriteTally(store.tallies[i], store.sure[i], out);
  }
  if (!store.bounds.empty()) {
    out.Varint(store.bounds.size());
    for (const double bound : store.bounds) out.Double(bound);
  }
  out.Varint(store.pieces);
  if (store.top.empty()) return;
  out.Double(store.total);
  out.Varint(store.top.size());
  for (const Piece& piece : store.top) {
    out.String(piece.labels);
    out.Double(piece.value);
  }
}

bool ReadStore(const plan::Test& test, StoreReading& store, ByteReader& in) {
  FlagReader flags(in);
  const bool empty = flags.Next();
  for (bool* flag :
       {&store.members, &store.left, &store.misses, &store.fresh, &store.primary, &store.spoke,
        &store.absent, &store.departs, &store.forgotten, &store.adds, &store.negative}) {
    *flag = flags.Next();
  }
  const bool bounds = flags.Next();
  const bool top = flags.Next();
  if (empty) return in.ok();
  store.last_ms = in.Milliseconds();
  store.tallies.resize(test.measure.operands.size());
  store.sure.resize(store.tallies.size());
  for (std::size_t i = 0; i < store.tallies.size(); ++i) {
    if (!ReadTally(store.tallies[i], store.sure[i], in)) return false;
  }
  for (std::uint64_t n = bounds ? in.Varint() : 0; n > 0 && in.ok(); --n) {
    store.bounds.push_back(in.Double());
  }
  store.pieces = in.Varint();
  if (!top) return in.ok();
  store.total = in.Double();
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    std::string labels(in.String());
    store.top.push_back({std::move(labels), in.Double()});
  }
  return in.ok();
}

void WriteHashes(const std::vector<std::uint64_t>& hashes, ByteWriter& out) {
  out.Varint(hashes.size());
  for (const std::uint64_t hash : hashes) out.Fixed64(hash);
}
void ReadHashes(std::vector<std::uint64_t>& hashes, ByteReader& in) {
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) hashes.push_back(in.Fixed64());
}

void WriteRule(const RuleReading& rule, ByteWriter& out) {
  out.Varint(kFormat);
  out.Signed(rule.after);
  out.Signed(std::max(rule.known_from_ms, kEarliest));
  out.Signed(std::max(rule.hard_from_ms, kEarliest));
  out.Signed(rule.unseen_ms);
  out.Bool(rule.seen);
  out.Bool(rule.negatives);
  for (const bool known : rule.known_then) out.Bool(known);
  WriteHashes(rule.refused, out);
  WriteHashes(rule.refused_series, out);
}

bool ReadRule(const Rule& rule, RuleReading& out, ByteReader& in) {
  if (in.Varint() != kFormat) return false;
  RuleReading read;
  read.after = in.Milliseconds();
  read.known_from_ms = in.Milliseconds();
  read.hard_from_ms = in.Milliseconds();
  read.unseen_ms = in.Milliseconds();
  read.seen = in.Bool();
  read.negatives = in.Bool();
  for (std::size_t i = rule.tests(); i < rule.stores(); ++i) read.known_then.push_back(in.Bool());
  ReadHashes(read.refused, in);
  ReadHashes(read.refused_series, in);
  out = std::move(read);
  return in.ok();
}

// An entry of a part: 0 and a group, or 1 + the store and cells that groups share.
std::string EncodeGroup(const GroupReading& group) {
  ByteWriter out;
  out.Varint(0);
  out.String(group.key);
  out.Bool(group.fresh);
  out.Signed(group.silence_ms);
  for (const auto& store : group.stores) {
    if (store) WriteStore(*store, out);
  }
  return out.Take();
}

std::string EncodeShared(const SharedReading& shared) {
  ByteWriter out;
  out.Varint(1u + shared.store);
  out.String(shared.key);
  WriteStore(shared.reading, out);
  return out.Take();
}

bool ReadEntry(const Rule& rule, ByteReader& in, StepReading& out) {
  const std::uint64_t kind = in.Varint();
  if (kind == 0) {
    GroupReading& group = out.groups.emplace_back();
    group.key = in.String();
    group.fresh = in.Bool();
    group.silence_ms = in.Milliseconds();
    for (std::size_t i = 0; i < rule.stores(); ++i) {
      auto& store = group.stores.emplace_back();
      if (!rule.Own(i)) continue;
      if (!ReadStore(rule.test(i), store.emplace(), in)) return false;
    }
    return in.ok();
  }
  if (kind > rule.stores()) return false;
  SharedReading& shared = out.shared.emplace_back();
  shared.store = static_cast<std::uint8_t>(kind - 1);
  shared.key = in.String();
  return ReadStore(rule.test(shared.store), shared.reading, in);
}

}  // namespace

std::vector<std::string> EncodeReading(const StepReading& reading) {
  ByteWriter head;
  WriteRule(reading.rule, head);
  std::vector<std::string> parts = {head.bytes()};
  const auto add = [&](const std::string& entry) {
    if (parts.back().size() >= kPartBytes) parts.push_back(head.bytes());
    parts.back() += entry;
  };
  for (const SharedReading& shared : reading.shared) add(EncodeShared(shared));
  for (const GroupReading& group : reading.groups) add(EncodeGroup(group));
  return parts;
}

bool DecodeReading(const Rule& rule, std::string_view part, StepReading& out) {
  ByteReader in(part);
  if (!ReadRule(rule, out.rule, in)) return false;
  while (in.ok() && !in.AtEnd()) {
    if (!ReadEntry(rule, in, out)) return false;
  }
  return in.ok();
}

}  // namespace liveops::engine
