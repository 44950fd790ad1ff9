#include "services/rule-evaluation/service/owner_state.h"

#include <utility>

#include "common/base/bytes.h"

namespace liveops::evaluation {
namespace {
constexpr std::uint64_t kFormat = 1;
}

std::string EncodeOwnerState(const engine::Shard& shard,
                             const std::map<std::string, engine::Transition>& last,
                             const std::map<std::string, PlanInForce>& plans,
                             std::int32_t partition) {
  ByteWriter out;
  out.Varint(kFormat);
  out.String(shard.Snapshot());
  out.Varint(last.size() + plans.size());
  for (const auto& [alarm, transition] : last) {
    out.String(EncodeTransition({}, transition, partition));
  }
  for (const auto& [service, plan] : plans) out.String(EncodePlanInForce({}, plan));
  return out.Take();
}

Result<OwnerState> DecodeOwnerState(std::string_view bytes, const TimeMap& time_map,
                                    engine::ShardLimits limits) {
  ByteReader in(bytes);
  if (in.Varint() != kFormat) return InvalidError("the state has another format");
  Result<engine::Shard> shard = engine::Shard::Restore(in.String(), time_map, limits);
  if (!shard.ok()) return shard.error();
  OwnerState state{std::move(*shard), {}, {}};
  const std::uint64_t count = in.Varint();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    Result<AlarmEvent> event = DecodeAlarmRecord(in.String());
    if (!event.ok()) return event.error();
    if (auto* transition = std::get_if<engine::Transition>(&*event)) {
      std::string alarm = transition->alarm_id;
      state.last.emplace(std::move(alarm), std::move(*transition));
    } else if (auto* plan = std::get_if<PlanInForce>(&*event)) {
      std::string service = plan->service;
      state.plans.emplace(std::move(service), std::move(*plan));
    }
  }
  if (!in.ok() || !in.AtEnd()) return InvalidError("the state is cut off");
  return state;
}

}  // namespace liveops::evaluation
