#include "services/rule-evaluation/codec/rollup_codec.h"

#include "liveops/v1/rollups.pb.h"

namespace liveops::evaluation {

std::string EncodeRollup(const engine::Source& source, const engine::Rollup& rollup,
                         std::int32_t source_partition) {
  v1::RollupRecord out;
  out.mutable_source()->set_emitter(std::string(source.emitter));
  out.mutable_source()->set_session(source.session);
  out.mutable_source()->set_sequence(source.sequence);
  out.set_service(rollup.service);
  out.set_rule(rollup.rule);
  out.set_digest(rollup.digest);
  out.set_round_offset(rollup.round);
  out.set_part(rollup.part);
  out.set_last(rollup.last);
  out.set_source_offset(rollup.position);
  out.set_source_partition(source_partition);
  out.set_content(rollup.content);
  return out.SerializeAsString();
}

Result<engine::Rollup> DecodeRollup(std::string_view value, std::int32_t source_partition) {
  v1::RollupRecord in;
  if (value.size() > (1u << 30) ||
      !in.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return InvalidError("the bytes are no RollupRecord");
  }
  if (in.source_partition() != source_partition) {
    return InvalidError("it is of partition " + std::to_string(in.source_partition()));
  }
  return engine::Rollup{
      in.service(), in.rule(), in.digest(),        in.round_offset(),
      in.part(),    in.last(), in.source_offset(), std::move(*in.mutable_content())};
}

}  // namespace liveops::evaluation
