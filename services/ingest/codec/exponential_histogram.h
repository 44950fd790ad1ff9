#pragma once

#include <cstdint>
#include <string_view>

#include "common/wire/wire.h"
#include "services/ingest/codec/exponential_ladder.h"
#include "services/ingest/codec/otlp_attributes.h"

// Inside this folder: a point of an OpenTelemetry exponential histogram
// (opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint), on a ladder.
namespace liveops::ingest {

// Of every scale there is. Its least and greatest value are not used: a quantile is that of the
// buckets. Used again it needs no more memory.
class ExponentialHistogram {
 public:
  // Reads the message and adds its attributes to `own`. False: it is malformed.
  bool Read(std::string_view message, AttributeList& own);
  // False: its buckets hold more than can be counted.
  bool Lay();

  std::uint64_t start_nano() const { return start_nano_; }  // 0 = not said
  std::uint64_t time_nano() const { return time_nano_; }
  std::uint64_t flags() const { return flags_; }
  std::uint64_t count() const { return count_; }  // as it says; not that of its buckets
  double sum() const { return sum_; }
  const LaidHistogram& laid() const { return laid_; }  // after Lay

 private:
  struct Side {  // negative or positive
    std::int32_t offset = 0;
    wire::Column<std::uint64_t> counts;
    void Clear();
  };

  bool ReadSide(std::string_view message, Side& side);
  bool ReadCounts(std::uint32_t tag, wire::Reader& in, Side& side);

  std::uint64_t start_nano_ = 0;
  std::uint64_t time_nano_ = 0;
  std::uint64_t flags_ = 0;
  std::uint64_t count_ = 0;
  double sum_ = 0;
  std::int32_t scale_ = 0;
  std::uint64_t zero_count_ = 0;
  double zero_threshold_ = 0;
  Side positive_;
  Side negative_;
  LaidHistogram laid_;
};

}  // namespace liveops::ingest
