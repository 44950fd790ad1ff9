#include "services/rule-evaluation/codec/reads_codec.h"

#include <algorithm>

#include "common/base/spread.h"
#include "services/rule-evaluation/codec/ranges.h"

namespace liveops::evaluation {

void ToProto(std::span<const engine::ServiceRead> reads, ReadsProto& out) {
  out.Clear();
  for (const engine::ServiceRead& read : reads) {
    v1::ReadService& entry = *out.Add();
    entry.set_service(read.service);
    entry.set_spread(static_cast<std::uint32_t>(read.spread));
    entry.set_spread_from_ms(ToMs(read.spread_from));
  }
}

bool FromProto(const ReadsProto& reads, std::vector<engine::ServiceRead>& out) {
  out.clear();
  for (const v1::ReadService& entry : reads) {
    if (entry.service().empty() || entry.spread() > static_cast<std::uint32_t>(kSpreadMax) ||
        !Sane(entry.spread_from_ms())) {
      return false;
    }
    out.push_back({entry.service(), std::max(1, static_cast<int>(entry.spread())),
                   RealFromMs(entry.spread_from_ms())});
  }
  return true;
}

}  // namespace liveops::evaluation
