#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/hash.h"
#include "services/ingest/codec/otlp.h"

// Inside this folder.
namespace liveops::ingest {

// Fills OtlpBatches: one batch a service, and a new one where a record would become too large.
class OtlpPacker {
 public:
  // Upper estimate of a point in a record, without its series.
  static constexpr std::size_t kPointBytes = 24;

  // Appends to `out`, which must outlive it.
  OtlpPacker(std::size_t bytes_max, OtlpBatches& out) : bytes_max_(bytes_max), out_(out) {}

  // What follows is of this service.
  void Of(const std::string& service) {
    service_ = service;
    builder_ = nullptr;
  }
  // The index of a series in the present batch, which has room for it and for a point of so many
  // bytes.
  std::uint32_t Series(admit::SeriesKind kind, std::string_view metric, std::string_view unit,
                       std::string_view labels, std::size_t point_bytes);
  // A point of one value.
  void Add(admit::SeriesKind kind, std::string_view metric, std::string_view unit,
           std::string_view labels, std::int64_t time_ms, std::uint64_t duration_ms, double value);
  // The present batch, for a point of that time.
  OtlpBatch& batch(std::int64_t time_ms);

  // Into the result's memory.
  template <typename T>
  std::span<const T> Keep(std::span<const T> values) {
    if (values.empty()) return {};
    T* const room = static_cast<T*>(out_.memory->allocate(values.size_bytes(), alignof(T)));
    std::memcpy(room, values.data(), values.size_bytes());
    return {room, values.size()};
  }

 private:
  // The series and strings of one service's present batch, and how large that has grown.
  struct Builder {
    explicit Builder(std::pmr::memory_resource* memory) : series(memory) {}
    std::size_t batch = 0;  // index into OtlpBatches::batches
    std::size_t bytes = 0;
    std::pmr::unordered_map<Fingerprint, std::uint32_t, FingerprintHash> series;
    std::unordered_map<std::string_view, std::uint32_t> strings;
  };

  void StartBatch();
  std::uint32_t StringIndex(std::string_view text);
  OtlpBatch& Batch() { return out_.batches[builder_->batch]; }

  const std::size_t bytes_max_;
  OtlpBatches& out_;
  std::string service_;
  std::map<std::string, Builder> builders_;
  Builder* builder_ = nullptr;  // of service_
};

}  // namespace liveops::ingest
