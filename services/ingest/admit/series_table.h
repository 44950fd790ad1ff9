#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "services/ingest/admit/admit.h"

namespace liveops::admit {

// The series that points name by their index: those of one batch, or of all batches of a stream so
// far. Each is checked once, when a point first names it. One thread at a time.
class SeriesTable {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Entry {
    SeriesInput input;
    bool checked = false;
    std::optional<Refusal> refusal;
    std::string_view labels;  // canonical
    Fingerprint fingerprint;
    std::uint64_t kept = 0;   // the last generation of the guard that kept it
    std::uint64_t batch = 0;  // the last one whose result has it,
    std::uint32_t place = 0;  // and where
  };

  // `service` and `limits` must outlive it.
  SeriesTable(std::string_view service, const Limits& limits)
      : service_(service), limits_(limits) {}

  // The next indices. What is added is viewed, and must outlive the table.
  void Add(std::span<const std::string_view> strings, std::span<const SeriesInput> series);

  std::size_t size() const { return entries_.size(); }
  // Checked. Its `refusal` says whether its points are refused, Problem why.
  Entry& At(std::uint32_t series) {
    Entry& entry = entries_[series];
    if (!entry.checked) Check(series);
    return entry;
  }
  const std::string& Problem(std::uint32_t series) { return problems_[series]; }
  // For people: metric and labels.
  std::string NameOf(std::uint32_t series) const;

  // Begins the result of a batch: nothing has a place in it.
  void BeginBatch() { ++batch_; }
  std::uint64_t batch() const { return batch_; }
  // Where the result has the string, which is appended if need be.
  std::uint32_t PlaceOf(std::uint32_t string, std::vector<std::string_view>& strings);

  // Labels that were not canonical, if the result shall outlive the table.
  std::deque<std::string> TakeRewritten() { return std::move(rewritten_); }

 private:
  struct Word {
    std::string_view text;
    std::optional<bool> plain;
    std::uint64_t batch = 0;
    std::uint32_t place = 0;
  };

  void Check(std::uint32_t series);
  bool IsPlain(std::uint32_t string);
  void Refuse(std::uint32_t series, Refusal why, std::string problem);

  const std::string_view service_;
  const Limits& limits_;
  std::vector<Word> words_;
  std::vector<Entry> entries_;
  std::map<std::uint32_t, std::string> problems_;  // of refused series
  std::deque<std::string> rewritten_;
  std::uint64_t batch_ = 0;
};

}  // namespace liveops::admit
