#include "services/rule-evaluation/engine/series.h"

#include <algorithm>
#include <utility>

namespace liveops::engine {

static_assert(sizeof(Series) == 192, "three cache lines; see the order of its fields");

void FeedList::push_back(const Feed& feed) {
  if (std::has_single_bit(size_) || size_ == 0) {
    auto roomier = std::make_unique<Feed[]>(std::max(1u, 2 * size_));
    std::copy_n(feeds_.get(), size_, roomier.get());
    feeds_ = std::move(roomier);
  }
  feeds_[size_++] = feed;
}

std::int64_t Series::Interval() const {
  switch (gap_count) {
    case 0:
      return 0;
    case 1:
      return gaps[0];
    case 2:
      return std::min(gaps[0], gaps[1]);
    default:
      return std::max(std::min(gaps[0], gaps[1]), std::min(std::max(gaps[0], gaps[1]), gaps[2]));
  }
}

void Series::ForgetBaseline() {
  has_last = false;
  stream_count = 0;
  if (!more) return;
  more->streams.clear();
  more->buckets.clear();
}

void Series::BeginAnew() {
  Series fresh;
  fresh.fingerprint = fingerprint;
  fresh.service = service;
  fresh.kind = kind;
  fresh.live = live;
  fresh.labels = std::move(labels);
  fresh.members = members;
  fresh.forgotten = forgotten;
  *this = std::move(fresh);
}

void Series::Leave(std::int64_t time_ms) {
  if (!more) more = std::make_unique<More>();
  more->left_ms = std::max({time_ms, has_last ? last_ms : time_ms, left ? more->left_ms : time_ms});
  left = true;
}

std::vector<std::uint64_t>& Series::buckets(std::size_t i) {
  if (!more) more = std::make_unique<More>();
  if (more->buckets.size() <= i) more->buckets.resize(i + 1);
  return more->buckets[i];
}

std::size_t Series::AddStream(std::int64_t start_ms, std::int64_t time_ms,
                              std::size_t streams_max) {
  if (stream_count > 0 && !more) more = std::make_unique<More>();
  if (stream_count == streams_max) {
    std::size_t oldest = 0;
    for (std::size_t i = 1; i < stream_count; ++i) {
      if (stream(i).last_ms < stream(oldest).last_ms) oldest = i;
    }
    for (std::size_t i = oldest; i + 1 < stream_count; ++i) stream(i) = stream(i + 1);
    if (oldest < more->buckets.size()) {
      more->buckets.erase(more->buckets.begin() + static_cast<std::ptrdiff_t>(oldest));
    }
    --stream_count;
    if (stream_count > 0) more->streams.pop_back();
  }
  const std::size_t added = stream_count++;
  if (added > 0) more->streams.emplace_back();
  stream(added) = {start_ms, time_ms, 0};
  return added;
}

void SeriesTable::Index::Put(Slot slot) {
  std::size_t i = slot.hash & mask();
  while (slots_[i].id != kNone) i = (i + 1) & mask();
  slots_[i] = slot;
}

void SeriesTable::Index::Reserve(std::size_t count) {
  constexpr std::size_t kLeast = 64;
  const std::size_t wanted = std::bit_ceil(std::max(kLeast, count + count / 3 + 1));
  if (wanted <= slots_.size()) return;
  const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(wanted));
  for (const Slot& slot : before) {
    if (slot.id != kNone) Put(slot);
  }
}

void SeriesTable::Index::Add(const Fingerprint& fingerprint, std::uint32_t id) {
  Reserve(++size_);
  Put({HashOf(fingerprint), id});
}

void SeriesTable::Index::Remove(const Fingerprint& fingerprint, std::uint32_t id) {
  std::size_t gap = HashOf(fingerprint) & mask();
  while (slots_[gap].id != id) gap = (gap + 1) & mask();
  // Those behind it move up, unless that would take them before their own place.
  for (std::size_t i = (gap + 1) & mask(); slots_[i].id != kNone; i = (i + 1) & mask()) {
    const std::size_t home = slots_[i].hash & mask();
    if (((i - home) & mask()) < ((i - gap) & mask())) continue;
    slots_[gap] = slots_[i];
    gap = i;
  }
  slots_[gap] = {};
  --size_;
}

std::uint32_t SeriesTable::Find(const Fingerprint& fingerprint) const {
  return index_.Find(fingerprint,
                     [&](std::uint32_t id) { return at(id).fingerprint == fingerprint; });
}

std::span<std::uint32_t> SeriesTable::FindAll(std::span<const SeriesView> views) {
  constexpr int kAhead = 12;
  found_.resize(views.size());
  std::uint32_t last = kNone;
  std::uint32_t ahead = kNone;  // the one that is being fetched
  int lead = 0;                 // so many places it is ahead of the one at hand
  for (std::size_t i = 0; i < views.size(); ++i) {
    const Fingerprint& wanted = views[i].fingerprint;
    std::uint32_t id = last == kNone ? kNone : after_[last];
    if (id != kNone && lead > 0 && at(id).live && at(id).fingerprint == wanted) {
      --lead;
    } else {
      id = Find(wanted);
      if (last != kNone) after_[last] = id;
      ahead = id;
      lead = 0;
    }
    for (; id != kNone && lead < kAhead && after_[ahead] != kNone; ++lead) {
      ahead = after_[ahead];
      Prefetch(ahead);
    }
    found_[i] = last = id;
  }
  return found_;
}

Series& SeriesTable::NewSlot() {
  if (slots_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<Chunk>());
  after_.push_back(kNone);
  return at(slots_++);
}

std::uint32_t SeriesTable::Add(const Fingerprint& fingerprint, SeriesKind kind,
                               std::uint32_t service) {
  std::uint32_t id = slots_;
  if (free_.empty()) {
    NewSlot();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  Series& series = at(id);
  series.live = true;
  series.fingerprint = fingerprint;
  series.kind = kind;
  series.service = service;
  index_.Add(fingerprint, id);
  return id;
}

void SeriesTable::Remove(std::uint32_t id) {
  Series& series = at(id);
  index_.Remove(series.fingerprint, id);
  after_[id] = kNone;
  std::destroy_at(&series);
  std::construct_at(&series);
  free_.push_back(id);
}

void WriteSeries(const Series& s, ByteWriter& out) {
  out.Fixed64(s.fingerprint.hi);
  out.Fixed64(s.fingerprint.lo);
  out.Varint(static_cast<std::uint64_t>(s.kind));
  out.Varint(s.service);
  out.String(s.labels);
  out.Bool(s.has_last);
  out.Bool(s.refused);
  out.Bool(s.left);
  if (s.left) out.Signed(s.more->left_ms);
  out.Varint(static_cast<std::uint64_t>(s.slowest) - 1);
  for (const std::int64_t t : {s.last_ms, s.last_start_ms, s.seen_ms, s.unusable_ms}) out.Signed(t);
  out.Varint(s.gap);
  out.Varint(s.gap_count);
  for (const std::int64_t gap : s.gaps) out.Signed(gap);
  out.Varint(s.stream_count);
  for (std::size_t i = 0; i < s.stream_count; ++i) {
    const Stream& stream = s.stream(i);
    out.Signed(stream.start_ms);
    out.Signed(stream.last_ms);
    out.Double(stream.value);
    const bool counted = s.more && i < s.more->buckets.size();
    out.Varint(counted ? s.more->buckets[i].size() : 0);
    if (!counted) continue;
    for (const std::uint64_t n : s.more->buckets[i]) out.Varint(n);
  }
}

bool ReadSeries(Series& s, ByteReader& in) {
  s.fingerprint.hi = in.Fixed64();
  s.fingerprint.lo = in.Fixed64();
  const std::uint64_t kind = in.Varint();
  if (kind < 1 || kind > static_cast<std::uint64_t>(SeriesKind::kSlices)) return false;
  s.kind = static_cast<SeriesKind>(kind);
  s.service = static_cast<std::uint32_t>(in.Varint());
  s.labels = in.String();
  s.has_last = in.Bool();
  s.refused = in.Bool();
  s.left = in.Bool();
  if (s.left) {
    s.more = std::make_unique<Series::More>();
    s.more->left_ms = in.Milliseconds();
  }
  const std::uint64_t slowest = in.Varint() + 1;
  if (slowest < 1 || slowest > static_cast<std::uint64_t>(Protocol::kCost)) return false;
  s.slowest = static_cast<Protocol>(slowest);
  for (std::int64_t* t : {&s.last_ms, &s.last_start_ms, &s.seen_ms}) *t = in.Milliseconds();
  s.unusable_ms = in.Milliseconds(INT64_MIN / 2);
  const std::uint64_t seen_after = in.Varint();
  if (seen_after > UINT32_MAX) return false;
  s.gap = static_cast<std::uint32_t>(seen_after);
  s.gap_count = static_cast<std::uint8_t>(std::min<std::uint64_t>(in.Varint(), 3));
  for (std::int64_t& gap : s.gaps) gap = in.Milliseconds();
  const std::uint64_t streams = in.Varint();
  if (streams > UINT8_MAX) return false;
  for (std::uint64_t i = 0; i < streams && in.ok(); ++i) {
    const std::int64_t start_ms = in.Milliseconds();
    Stream& stream = s.stream(s.AddStream(start_ms, in.Milliseconds(), UINT8_MAX));
    stream.value = in.Double();
    const std::uint64_t counts = in.Varint();
    if (counts == 0) continue;
    std::vector<std::uint64_t>& buckets = s.buckets(i);
    for (std::uint64_t m = counts; m > 0 && in.ok(); --m) buckets.push_back(in.Varint());
  }
  return in.ok();
}

void SeriesTable::WriteFree(ByteWriter& out) const {
  out.Varint(slots_);
  out.Varint(free_.size());
  for (const std::uint32_t id : free_) out.Varint(id);
}

bool SeriesTable::ReadFree(ByteReader& in) {
  constexpr std::uint64_t kSlotsMax = 1u << 28;  // what no shard ever holds
  const std::uint64_t slots = in.Varint();
  if (slots > kSlotsMax) return false;
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    const std::uint64_t id = in.Varint();
    if (id >= slots) return false;
    free_.push_back(static_cast<std::uint32_t>(id));
  }
  slots_wanted_ = slots;
  return in.ok();
}

void SeriesTable::WriteBlock(std::uint32_t first, std::uint32_t count, ByteWriter& out) const {
  const std::uint64_t end = std::min<std::uint64_t>(std::uint64_t{first} + count, slots_);
  out.Varint(end - first);
  for (std::uint32_t id = first; id < end; ++id) {
    const Series& series = at(id);
    out.Bool(series.live);
    if (series.live) WriteSeries(series, out);
  }
}

bool SeriesTable::ReadBlock(std::uint32_t first, std::uint32_t count, ByteReader& in) {
  const std::uint64_t held = in.Varint();
  if (first != slots_ || held > count) return false;
  for (std::uint64_t i = 0; i < held && in.ok(); ++i) {
    const std::uint32_t id = slots_;
    Series& series = NewSlot();
    if (!in.Bool()) continue;
    series.live = true;
    if (!ReadSeries(series, in) || Find(series.fingerprint) != kNone) return false;
    index_.Add(series.fingerprint, id);
  }
  return in.ok();
}

bool SeriesTable::Complete() const {
  return slots_ == slots_wanted_ && index_.size() + free_.size() == slots_ &&
         std::none_of(free_.begin(), free_.end(), [&](std::uint32_t id) { return Has(id); });
}

}  // namespace liveops::engine
