#include "services/rule-evaluation/service/owner_state.h"

#include <iterator>
#include <utility>

#include "common/base/bytes.h"

namespace liveops::evaluation {
namespace {

constexpr std::uint64_t kFormat = 2;

// Transitions and plans, each as it would stand in the log.
Status ReadWords(std::string_view section, OwnerState& state) {
  ByteReader in(section);
  while (in.ok() && !in.AtEnd()) {
    Result<AlarmEvent> event = DecodeAlarmRecord(in.String());
    if (!event.ok()) return event.error();
    if (auto* transition = std::get_if<engine::Transition>(&*event)) {
      const std::string alarm = transition->alarm_id;
      state.last.Set(alarm, std::move(*transition));
    } else if (auto* plan = std::get_if<PlanInForce>(&*event)) {
      const std::string service = plan->service;
      state.plans.Set(service, std::move(*plan));
    }
  }
  if (!in.ok()) return InvalidError("the state is cut off");
  return {};
}

}  // namespace

std::vector<std::string> EncodeOwnerState(std::vector<std::string> engine_sections,
                                          const LastWords::Frozen& last,
                                          const PlansInForce::Frozen& plans,
                                          std::int32_t partition) {
  ByteWriter head;
  head.Varint(kFormat);
  head.Varint(engine_sections.size());
  std::vector<std::string> sections = {head.Take()};
  std::move(engine_sections.begin(), engine_sections.end(), std::back_inserter(sections));
  for (const auto& bucket : last) {
    ByteWriter out;
    for (const auto& [alarm, transition] : *bucket) {
      out.String(EncodeTransition({}, transition, partition));
    }
    sections.push_back(out.Take());
  }
  for (const auto& bucket : plans) {
    ByteWriter out;
    for (const auto& [service, plan] : *bucket) out.String(EncodePlanInForce({}, plan));
    sections.push_back(out.Take());
  }
  return sections;
}

Result<OwnerState> DecodeOwnerState(std::span<const std::string> sections, const TimeMap& time_map,
                                    engine::ShardLimits limits) {
  if (sections.empty()) return InvalidError("the state is empty");
  ByteReader head(sections[0]);
  if (head.Varint() != kFormat) return InvalidError("the state has another format");
  const std::uint64_t count = head.Varint();
  if (!head.ok() || count > sections.size() - 1) return InvalidError("the state is cut off");
  const std::vector<std::string_view> engine(
      sections.begin() + 1, sections.begin() + 1 + static_cast<std::ptrdiff_t>(count));
  Result<engine::Shard> shard = engine::Shard::Restore(engine, time_map, limits);
  if (!shard.ok()) return shard.error();
  OwnerState state{std::move(*shard), {}, {}};
  for (const std::string& section : sections.subspan(1 + count)) {
    if (Status s = ReadWords(section, state); !s.ok()) return s.error();
  }
  return state;
}

}  // namespace liveops::evaluation
