#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/base/labels.h"

// StatsD's lines (https://github.com/statsd/statsd/blob/master/docs/metric_types.md), with
// DogStatsD's tags, distributions and several values in a line
// (https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/). Bytes in, values out.
namespace liveops::ingest::statsd {

enum class Type { kCounter, kGauge, kTiming, kDistribution };

// One value. It views the line.
struct Sample {
  std::string_view name;
  Type type = Type::kCounter;
  double value = 0;       // of a timing ms
  bool relative = false;  // of a gauge: to be added to its reading
  double rate = 1;        // the share of such values that the sender sends, from 1e-9 to 1
  std::string_view tags;  // "name:value,name,…"
};

enum class Verdict {
  kGood,
  kMalformed,
  kUnsupported,  // sets, events, service checks, values with a time of their own, counters that
                 // fall
};

// Of a good line each value, in order; of any other none. A field that is not known is not looked
// at, as DogStatsD wants it.
Verdict ReadLine(std::string_view line, const std::function<void(const Sample&)>& each);

struct PacketCount {
  std::uint64_t values = 0;
  std::uint64_t malformed = 0;  // lines
  std::uint64_t unsupported = 0;
};
// Lines with a newline between them; empty ones are none.
PacketCount ReadPacket(std::string_view packet, const std::function<void(const Sample&)>& each);

// The tags as labels; one without a value is "true". The tag `service`, if there is one, goes into
// `service` and is no label.
Labels ReadTags(std::string_view tags, std::string& service);

}  // namespace liveops::ingest::statsd
