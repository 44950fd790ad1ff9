#include "services/rule-evaluation/engine/series.h"

#include <algorithm>

namespace liveops::engine {

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

void Series::Seen(std::int64_t time_ms, std::int64_t start_ms) {
  if (has_last && time_ms > last_ms) {
    gaps = {time_ms - last_ms, gaps[0], gaps[1]};
    gap_count = static_cast<std::uint8_t>(std::min(gap_count + 1, 3));
  }
  if (!has_last || time_ms >= last_ms) {
    last_ms = time_ms;
    last_start_ms = start_ms;
  }
  has_last = true;
}

void Series::ForgetBaseline() {
  has_last = false;
  streams.clear();
}

std::uint32_t SeriesTable::Find(const Fingerprint& fingerprint) const {
  const auto it = index_.find(fingerprint);
  return it == index_.end() ? kNone : it->second;
}

std::uint32_t SeriesTable::Add(const Fingerprint& fingerprint, SeriesKind kind,
                               std::uint32_t service) {
  std::uint32_t id = 0;
  if (free_.empty()) {
    id = static_cast<std::uint32_t>(series_.size());
    series_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  series_[id] = std::make_unique<Series>();
  series_[id]->fingerprint = fingerprint;
  series_[id]->kind = kind;
  series_[id]->service = service;
  index_.emplace(fingerprint, id);
  return id;
}

void SeriesTable::Remove(std::uint32_t id) {
  index_.erase(series_[id]->fingerprint);
  series_[id].reset();
  free_.push_back(id);
}

namespace {

void WriteSeries(const Series& s, ByteWriter& out) {
  out.Fixed64(s.fingerprint.hi);
  out.Fixed64(s.fingerprint.lo);
  out.Varint(static_cast<std::uint64_t>(s.kind));
  out.Varint(s.service);
  out.String(s.labels);
  out.Bool(s.has_last);
  out.Bool(s.refused);
  out.Bool(s.otlp);
  for (const std::int64_t t : {s.last_ms, s.last_start_ms, s.seen_ms, s.unusable_ms}) out.Signed(t);
  out.Varint(s.gap);
  out.Varint(s.gap_count);
  for (const std::int64_t gap : s.gaps) out.Signed(gap);
  out.Varint(s.streams.size());
  for (const Stream& stream : s.streams) {
    out.Signed(stream.start_ms);
    out.Signed(stream.last_ms);
    out.Double(stream.value);
    out.Varint(stream.buckets.size());
    for (const std::uint64_t n : stream.buckets) out.Varint(n);
  }
}

bool ReadSeries(Series& s, ByteReader& in) {
  s.fingerprint.hi = in.Fixed64();
  s.fingerprint.lo = in.Fixed64();
  const std::uint64_t kind = in.Varint();
  if (kind < 1 || kind > 6) return false;
  s.kind = static_cast<SeriesKind>(kind);
  s.service = static_cast<std::uint32_t>(in.Varint());
  s.labels = in.String();
  s.has_last = in.Bool();
  s.refused = in.Bool();
  s.otlp = in.Bool();
  for (std::int64_t* t : {&s.last_ms, &s.last_start_ms, &s.seen_ms, &s.unusable_ms})
    *t = in.Signed();
  s.gap = in.Varint();
  s.gap_count = static_cast<std::uint8_t>(std::min<std::uint64_t>(in.Varint(), 3));
  for (std::int64_t& gap : s.gaps) gap = in.Signed();
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    Stream& stream = s.streams.emplace_back();
    stream.start_ms = in.Signed();
    stream.last_ms = in.Signed();
    stream.value = in.Double();
    for (std::uint64_t m = in.Varint(); m > 0 && in.ok(); --m)
      stream.buckets.push_back(in.Varint());
  }
  return in.ok();
}

}  // namespace

void SeriesTable::WriteFree(ByteWriter& out) const {
  out.Varint(series_.size());
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
  const std::size_t end = std::min<std::size_t>(std::size_t{first} + count, series_.size());
  out.Varint(end - first);
  for (std::size_t id = first; id < end; ++id) {
    out.Bool(series_[id] != nullptr);
    if (series_[id]) WriteSeries(*series_[id], out);
  }
}

bool SeriesTable::ReadBlock(std::uint32_t first, std::uint32_t count, ByteReader& in) {
  const std::uint64_t held = in.Varint();
  if (first != series_.size() || held > count) return false;
  for (std::uint64_t i = 0; i < held && in.ok(); ++i) {
    auto& slot = series_.emplace_back();
    if (!in.Bool()) continue;
    slot = std::make_unique<Series>();
    if (!ReadSeries(*slot, in)) return false;
    index_.emplace(slot->fingerprint, static_cast<std::uint32_t>(series_.size() - 1));
  }
  return in.ok();
}

bool SeriesTable::Complete() const {
  return series_.size() == slots_wanted_ && index_.size() + free_.size() == series_.size() &&
         std::none_of(free_.begin(), free_.end(),
                      [&](std::uint32_t id) { return series_[id] != nullptr; });
}

}  // namespace liveops::engine
