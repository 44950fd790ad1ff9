#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "services/rule-evaluation/engine/record.h"

namespace liveops::engine {

struct Rule;
struct Cells;

// Where the points of a series go: a member of the cells of a rule.
struct Feed {
  Rule* rule = nullptr;
  Cells* cells = nullptr;
  std::uint32_t member = 0;
};

// One uninterrupted count: a cumulative series may have several at once (other start times are
// other processes).
struct Stream {
  std::int64_t start_ms = 0;  // 0 = the sender does not say
  std::int64_t last_ms = 0;
  double value = 0;  // counter: total; histogram: sum
  std::vector<std::uint64_t> buckets;
};

// All times are domain ms.
struct Series {
  Fingerprint fingerprint;
  SeriesKind kind = SeriesKind::kGauge;
  std::uint32_t service = 0;
  std::uint32_t members = 0;  // memberships in groups; while there are some the entry stays
  std::string labels;         // canonical bytes; kept only for a member, for evidence

  bool has_last = false;
  std::int64_t last_ms = 0;  // newest accepted point
  std::int64_t last_start_ms = 0;
  std::int64_t seen_ms = 0;                  // partition clock when a record last named it
  std::int64_t unusable_ms = INT64_MIN / 2;  // clock when a point of it was too late or too early
  std::uint64_t gap = 0;                     // the last gap after which it was seen (Presence::gap)
  std::array<std::int64_t, 3> gaps{};        // newest first, ms between its last points
  std::uint8_t gap_count = 0;
  std::vector<Stream> streams;
  bool refused = false;  // a limit kept it out of a group; counted once
  bool otlp = false;     // it came by OTLP: what it feeds waits longer, from then on

  // Derived, not part of the state.
  std::uint64_t generation = 0;  // of the service when `feeds` was made; 0 = make anew
  std::int64_t record = -1;      // offset of the record that touched it last
  std::uint32_t mismatches = 0;  // rules that watch its metric in a unit or a way that does not fit
  std::vector<Feed> feeds;

  // The reporting interval: the median of the last gaps; 0 while unknown.
  std::int64_t Interval() const;
  void Seen(std::int64_t time_ms, std::int64_t start_ms);
  // What it will next say is not compared with what it said.
  void ForgetBaseline();
};

// Series by dense number; numbers of series that are gone are used again.
class SeriesTable {
 public:
  // The number of a known series, or kNone.
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::uint32_t Find(const Fingerprint& fingerprint) const;
  std::uint32_t Add(const Fingerprint& fingerprint, SeriesKind kind, std::uint32_t service);
  void Remove(std::uint32_t id);

  Series& at(std::uint32_t id) { return *series_[id]; }
  const Series& at(std::uint32_t id) const { return *series_[id]; }
  std::size_t size() const { return index_.size(); }

  // f(id, series), by ascending number.
  template <typename F>
  void ForEach(F f) {
    for (std::uint32_t id = 0; id < series_.size(); ++id) {
      if (series_[id]) f(id, *series_[id]);
    }
  }

  bool Has(std::uint64_t id) const { return id < series_.size() && series_[id] != nullptr; }
  // All numbers that were ever given are below.
  std::size_t slots() const { return series_.size(); }
  // The number that Add would give.
  std::uint32_t NextId() const {
    return free_.empty() ? static_cast<std::uint32_t>(series_.size()) : free_.back();
  }

  // For snapshots: first how many numbers there are and which are free, then the series by number,
  // `count` from `first` on.
  void WriteFree(ByteWriter& out) const;
  bool ReadFree(ByteReader& in);
  void WriteBlock(std::uint32_t first, std::uint32_t count, ByteWriter& out) const;
  bool ReadBlock(std::uint32_t first, std::uint32_t count, ByteReader& in);
  // After all blocks: is each number either free or a series?
  bool Complete() const;

 private:
  std::vector<std::unique_ptr<Series>> series_;                            // null = free
  std::vector<std::uint32_t> free_;                                        // taken from the back
  std::unordered_map<Fingerprint, std::uint32_t, FingerprintHash> index_;  // never iterated
  std::uint64_t slots_wanted_ = 0;  // while a snapshot is read
};

}  // namespace liveops::engine
