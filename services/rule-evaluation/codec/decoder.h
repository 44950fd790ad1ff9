#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"
#include "services/rule-evaluation/engine/record.h"

namespace liveops::evaluation {

// Turns the value of a record of metrics.v1 (a ShardRecord) into the engine's view of it. Reuses
// its memory from call to call: a batch or a tick costs no allocation of its own. One thread at a
// time.
class Decoder {
 public:
  Decoder();
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // The view (and all that it points to) holds until the next call, and no longer than the bytes of
  // `value`: the texts of a batch stay where they are in it. kInvalid: not a ShardRecord, a
  // kind of record that the engine does not read, or columns and indices that do not fit together;
  // the message says which.
  Result<const engine::RecordView*> Decode(std::int64_t offset, RealTime append_time,
                                           std::string_view value);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace liveops::evaluation
