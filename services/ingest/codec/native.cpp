#include "services/ingest/codec/native.h"

#include "common/base/text.h"

namespace liveops::ingest {
namespace {

constexpr std::size_t kEmitterBytesMax = 128;

}  // namespace

Status CheckSource(const wire::Source& source) {
  if (source.emitter.empty())
    return InvalidError("source.emitter is empty; name the sending instance");
  if (source.emitter.size() > kEmitterBytesMax) {
    return InvalidError("source.emitter is longer than " + std::to_string(kEmitterBytesMax) +
                        " bytes");
  }
  if (!IsValidUtf8(source.emitter)) return InvalidError("source.emitter is not UTF-8");
  if (source.session == 0) {
    return InvalidError(
        "source.session is 0; draw a random one at each start, so that a retry is not counted "
        "twice");
  }
  if (source.sequence == 0) {
    return InvalidError(
        "source.sequence is 0; count the requests of a session from 1, and keep the number in a "
        "retry");
  }
  return {};
}

void FillRejections(const std::vector<admit::Rejection>& rejections,
                    google::protobuf::RepeatedPtrField<v1::Rejection>* out) {
  for (const admit::Rejection& rejection : rejections) {
    v1::Rejection* const entry = out->Add();
    entry->set_reason(admit::RefusalWord(rejection.reason));
    entry->set_points(rejection.points);
    entry->set_example(ScrubUtf8(rejection.example));
  }
}

}  // namespace liveops::ingest
