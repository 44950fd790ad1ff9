#pragma once

#include <cstdint>
#include <string>

namespace liveops::ingest {

// An observation with the trace in which it was made, as it came.
struct Exemplar {
  std::string service;
  std::string metric;
  std::string unit;
  std::string labels;        // of its series, as Labels::Encode writes them
  std::int64_t time_ms = 0;  // real
  double value = 0;
  std::string trace_id;  // 16 bytes; or else not valid
  std::string span_id;   // 8 bytes; or else not valid
};

}  // namespace liveops::ingest
