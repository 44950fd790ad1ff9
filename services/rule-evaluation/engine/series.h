#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
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

// The feeds of one series: few, and mostly none.
class FeedList {
 public:
  const Feed* begin() const { return feeds_.get(); }
  const Feed* end() const { return feeds_.get() + size_; }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  void clear() {
    feeds_.reset();
    size_ = 0;
  }
  void push_back(const Feed& feed);
  // Makes the processor fetch them.
  void Prefetch() const { __builtin_prefetch(feeds_.get()); }

 private:
  std::unique_ptr<Feed[]> feeds_;  // with room for the next power of two
  std::uint32_t size_ = 0;
};

// One uninterrupted count: a cumulative series may have several at once (other start times are
// other processes).
struct Stream {
  std::int64_t start_ms = 0;  // 0 = the sender does not say
  std::int64_t last_ms = 0;
  double value = 0;  // counter: total; histogram: sum
};

// All times are domain ms. The order is that of use: of a series that feeds nothing a record
// touches two cache lines.
struct alignas(64) Series {
  // --- when a record names it ---
  Fingerprint fingerprint;
  std::int64_t seen_ms = 0;      // partition clock when a record last named it
  FeedList feeds;                // derived, not part of the state, like the two below
  std::uint32_t generation = 0;  // of the service when `feeds` was made; 0 = make anew
  std::uint32_t mismatches = 0;  // rules that watch its metric in a unit or a way that does not fit
  std::uint32_t service = 0;
  std::uint32_t gap = 0;  // the last gap after which it was seen (Presence::gap)
  SeriesKind kind = SeriesKind::kGauge;
  bool live = false;     // this place of the table is taken
  bool refused = false;  // a limit kept it out of a group; counted once
  Protocol slowest =
      Protocol::kNative;  // that brought it: so long what it feeds waits from then on
  bool has_last = false;
  std::uint8_t gap_count = 0;
  std::uint8_t stream_count = 0;
  bool left = false;  // it was decommissioned, and did not speak since

  // --- when a point of it comes ---
  std::int64_t last_ms = 0;  // newest accepted point
  std::int64_t last_start_ms = 0;
  std::array<std::int64_t, 3> gaps{};  // newest first, ms between its last points
  Stream first_stream;                 // void unless stream_count > 0

  // --- seldom ---
  std::string labels;  // canonical bytes; kept only for one that a rule reads, for evidence
  std::int64_t unusable_ms = INT64_MIN / 2;  // clock when a point of it was too late or too early
  std::int64_t record = -1;     // derived: offset of the record that touched an observation last
  std::uint32_t members = 0;    // memberships in groups; while there are some the entry stays
  std::uint32_t forgotten = 0;  // of them, that are forgotten (Member)
  struct More {
    std::vector<Stream> streams;                      // after the first
    std::vector<std::vector<std::uint64_t>> buckets;  // of histograms, by stream
    std::int64_t left_ms = 0;  // of one that left: a point after it shows that it is back
  };
  std::unique_ptr<More> more;

  // The reporting interval: the median of the last gaps; 0 while unknown.
  std::int64_t Interval() const;
  void Seen(std::int64_t time_ms, std::int64_t start_ms) {
    if (!has_last) {
      has_last = true;
    } else if (time_ms > last_ms) {
      gaps = {time_ms - last_ms, gaps[0], gaps[1]};
      gap_count = static_cast<std::uint8_t>(gap_count < 3 ? gap_count + 1 : 3);
    } else if (time_ms < last_ms) {
      return;
    }
    last_ms = time_ms;
    last_start_ms = start_ms;
  }
  // What it will next say is not compared with what it said.
  void ForgetBaseline();
  // As one that was never named, but for whose it is and its memberships.
  void BeginAnew();

  Stream& stream(std::size_t i) { return i == 0 ? first_stream : more->streams[i - 1]; }
  const Stream& stream(std::size_t i) const { return i == 0 ? first_stream : more->streams[i - 1]; }
  // What a stream of a histogram last counted by bucket; empty at first.
  std::vector<std::uint64_t>& buckets(std::size_t i);
  // It left, at this time or later: all that it said is from before.
  void Leave(std::int64_t time_ms);

  // A new stream's index. Where there are `streams_max`, the one that was silent for the longest
  // time makes room.
  std::size_t AddStream(std::int64_t start_ms, std::int64_t time_ms, std::size_t streams_max);
};

// For snapshots and rollups: all that is not derived, but `members` and `forgotten`. Read into a
// fresh one; false = these are not such bytes.
void WriteSeries(const Series& series, ByteWriter& out);
bool ReadSeries(Series& series, ByteReader& in);

// Series by dense number; numbers of series that are gone are used again. A series stays where it
// is as long as it lives.
class SeriesTable {
 public:
  // The number of a known series, or kNone.
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::uint32_t Find(const Fingerprint& fingerprint) const;
  // Of all of a record's series at once; kNone for those that are not known. Holds until the next
  // call.
  std::span<std::uint32_t> FindAll(std::span<const SeriesView> views);
  std::uint32_t Add(const Fingerprint& fingerprint, SeriesKind kind, std::uint32_t service);
  void Remove(std::uint32_t id);

  Series& at(std::uint32_t id) { return chunks_[id / kChunk]->series[id % kChunk]; }
  const Series& at(std::uint32_t id) const { return chunks_[id / kChunk]->series[id % kChunk]; }
  std::size_t size() const { return index_.size(); }

  // f(id, series), by ascending number.
  template <typename F>
  void ForEach(F f) {
    for (std::uint32_t id = 0; id < slots_; ++id) {
      if (Series& series = at(id); series.live) f(id, series);
    }
  }

  bool Has(std::uint64_t id) const {
    return id < slots_ && at(static_cast<std::uint32_t>(id)).live;
  }
  // All numbers that were ever given are below.
  std::size_t slots() const { return slots_; }
  // The number that Add would give.
  std::uint32_t NextId() const { return free_.empty() ? slots_ : free_.back(); }

  // For snapshots: first how many numbers there are and which are free, then the series by number,
  // `count` from `first` on.
  void WriteFree(ByteWriter& out) const;
  bool ReadFree(ByteReader& in);
  void WriteBlock(std::uint32_t first, std::uint32_t count, ByteWriter& out) const;
  bool ReadBlock(std::uint32_t first, std::uint32_t count, ByteReader& in);
  // After all blocks: is each number either free or a series?
  bool Complete() const;

 private:
  static constexpr std::uint32_t kChunk = 256;
  struct Chunk {
    std::array<Series, kChunk> series;
  };

  // Numbers by fingerprint: open addressing with linear probing, and no tombstones. A fingerprint
  // is a hash already. Never iterated.
  class Index {
   public:
    template <typename Same>
    std::uint32_t Find(const Fingerprint& fingerprint, Same same) const {
      if (slots_.empty()) return kNone;
      const std::uint32_t hash = HashOf(fingerprint);
      for (std::size_t i = hash & mask(); slots_[i].id != kNone; i = (i + 1) & mask()) {
        if (slots_[i].hash == hash && same(slots_[i].id)) return slots_[i].id;
      }
      return kNone;
    }
    void Add(const Fingerprint& fingerprint, std::uint32_t id);
    void Remove(const Fingerprint& fingerprint, std::uint32_t id);
    void Reserve(std::size_t count);
    std::size_t size() const { return size_; }

   private:
    struct Slot {
      std::uint32_t hash = 0;
      std::uint32_t id = kNone;  // kNone = free
    };
    static std::uint32_t HashOf(const Fingerprint& fingerprint) {
      return static_cast<std::uint32_t>(fingerprint.lo);
    }
    std::size_t mask() const { return slots_.size() - 1; }
    void Put(Slot slot);

    std::vector<Slot> slots_;  // a power of two, at most three quarters taken
    std::size_t size_ = 0;
  };

  Series& NewSlot();
  // Makes the processor fetch what a record will touch of it.
  void Prefetch(std::uint32_t id) const {
    const Series& series = at(id);
    __builtin_prefetch(&series, 1);
    __builtin_prefetch(&series.last_ms, 1);
  }

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::uint32_t slots_ = 0;          // of the chunks, those that were ever taken
  std::vector<std::uint32_t> free_;  // taken from the back
  Index index_;
  std::vector<std::uint32_t> found_;  // by FindAll
  std::uint64_t slots_wanted_ = 0;    // while a snapshot is read
  // By number: the one that a record last named after it. A record of the same sender names the
  // same ones in the same order, so that they need not be looked up, and can be fetched in time.
  std::vector<std::uint32_t> after_;
};

}  // namespace liveops::engine
