#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/client/batch_queue.h"
#include "common/client/client.h"
#include "liveops/v1/metrics.pb.h"

// Inside this folder: from series and points to the batches of a WriteSeries stream.
namespace liveops::client {

// The series of a client, each once.
class SeriesBook {
 public:
  std::uint32_t IdOf(const Series& series);

  struct Entry {
    std::string metric;
    std::string unit;
    Kind kind = Kind::kGauge;
    std::string labels;  // canonical bytes
    auto operator<=>(const Entry&) const = default;
  };
  const Entry& At(std::uint32_t id) const { return *entries_[id]; }
  std::size_t size() const { return entries_.size(); }

 private:
  std::map<Entry, std::uint32_t> ids_;
  std::vector<const Entry*> entries_;  // keys of ids_
};

// What a stream has spelled so far.
class Speller {
 public:
  // The points, and what they name that the stream has not spelled yet.
  void Spell(const Batch& batch, const SeriesBook& book, v1::MetricBatch& out);

 private:
  std::uint32_t String(const std::string& text, v1::MetricBatch& out);

  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::vector<std::uint32_t> index_;  // by id
  std::uint32_t spelled_ = 0;
  std::map<std::string, std::uint32_t> strings_;
};

}  // namespace liveops::client
