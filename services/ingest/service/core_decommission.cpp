// What of a service stopped for good, as somebody tells.
#include <deque>
#include <string>
#include <utility>

#include "common/base/labels.h"
#include "common/base/text.h"
#include "services/ingest/admit/admit.h"
#include "services/ingest/service/core.h"

namespace liveops::ingest {
namespace {

constexpr std::size_t kReasonBytesMax = 1000;

// The pairs as they stand in the log.
Result<std::string> PairsOf(const v1::DecommissionRequest& request, const admit::Limits& limits) {
  if (request.labels().empty()) {
    return InvalidError("a decommission needs a label that tells what stopped, as instance=i-7");
  }
  Labels labels;
  for (const v1::Label& label : request.labels()) {
    if (label.name().empty() || label.value().empty()) {
      return InvalidError("a label of a decommission has a name and a value");
    }
    if (labels.Find(label.name()) != nullptr) {
      return InvalidError("the label \"" + ScrubUtf8(label.name()) + "\" is named twice");
    }
    labels.Set(label.name(), label.value());
  }
  const std::string pairs = labels.Encode();
  std::deque<std::string> rewritten;
  const Result<std::string_view> canonical = admit::CanonicalLabels(pairs, limits, rewritten);
  if (!canonical) return canonical.error();
  return std::string(*canonical);
}

}  // namespace

void Core::Decommission(const v1::DecommissionRequest& request, const rpc::Peer& peer,
                        std::string_view traceparent, std::function<void(const Status&)> done) {
  ++requests_;
  if (const Status s = admit::CheckService(request.service(), settings_.limits); !s) return done(s);
  if (request.reason().size() > kReasonBytesMax) {
    return done(InvalidError("reason may have " + std::to_string(kReasonBytesMax) + " bytes"));
  }
  const Result<std::string> pairs = PairsOf(request, settings_.limits);
  if (!pairs) return done(pairs.error());
  if (const Status s = CheckWriter(peer, request.service(), 0); !s) return done(s);
  const Result<RealTime> now = Gate(request.ByteSizeLong());
  if (!now) return done(now.error());
  if (spreads_.WidestOf(request.service()) > 1) {
    return done(InvalidError(
        "the series of this service lie on several partitions; nothing of it can be decommissioned "
        "yet"));
  }
  v1::ShardRecord record;
  v1::DecommissionMarker* const marker = record.mutable_decommission();
  marker->set_service(request.service());
  marker->set_labels(*pairs);
  marker->set_reason(request.reason());
  marker->set_actor(ScrubUtf8(peer.name));
  marker->set_time_ms(ToMs(map().ToDomain(*now)));
  Report(request.service(), std::move(record), 0, traceparent,
         [this, done = std::move(done)](const Status& s) {
           if (s.ok()) ++decommissions_;
           done(s);
         });
}

}  // namespace liveops::ingest
