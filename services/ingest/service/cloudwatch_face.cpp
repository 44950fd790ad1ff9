#include "services/ingest/service/cloudwatch_face.h"

#include <array>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/telemetry/log.h"
#include "services/ingest/service/http_body.h"
#include "services/ingest/service/http_parts.h"
#include "services/ingest/source/cloudwatch_stream/firehose.h"

namespace liveops::ingest {
namespace {

constexpr const char* kIdHeader = "X-Amz-Firehose-Request-Id";

// Firehose takes application/json alone, and 200 alone for success. It tries again for as long as
// the stream says, whatever else it is told but 413.
http::Reply Reply(int status, std::string_view id, std::string_view error) {
  return {status, "application/json", cloudwatch::Answer(id, ToMs(WallClockNow()), error), {}};
}

}  // namespace

http::Reply CloudWatchFace::Refuse(const http::Call& call, http::Reply refused) {
  http::Reply reply = Reply(refused.status, call.header(kIdHeader), Trim(refused.body));
  reply.headers = std::move(refused.headers);
  return reply;
}

http::Reply CloudWatchFace::Handle(const http::Call& call, const rpc::Peer& peer) {
  std::string id = call.header(kIdHeader);
  if (const std::string version = call.header("X-Amz-Firehose-Protocol-Version");
      !version.empty() && version != "1.0")
    return Reply(400, id, "version 1.0 of Firehose's protocol is spoken here");
  const HttpBody body(call, bytes_max_);
  if (body.status != 200) return Reply(body.status, id, body.why);
  const Result<cloudwatch::Delivery> delivery = cloudwatch::ReadDelivery(body.text);
  if (!delivery) return Reply(400, id, delivery.error().message);
  if (id.empty()) id = delivery->id;
  if (id != delivery->id)
    return Reply(400, id, "the body's requestId is another than the header's");

  std::string service =
      cloudwatch::CommonAttribute(call.header("X-Amz-Firehose-Common-Attributes"), "service");
  // Who may write one service alone means it.
  if (service.empty() && peer.services.size() == 1) service = *peer.services.begin();
  cloudwatch::Translator translator(settings_, std::move(service));
  for (const std::string& record : delivery->records) translator.Add(record);
  cloudwatch::Translated read = translator.Take();
  admit::Admission refused;
  refused.rejections = std::move(read.rejections);
  if (delivery->unreadable > 0) {
    refused.Reject(admit::Refusal::kUnsupported, delivery->unreadable,
                   "a record's data are no base64");
  }
  if (read.unmapped > 0) {
    refused.Reject(admit::Refusal::kUnsupported, read.unmapped,
                   *read.unmapped_names.begin() + " is in no line of cloudwatch.metrics");
    LogNew(read.unmapped_names);
  }

  std::vector<ServicePoints> points;
  const std::vector<admit::BatchInput> inputs = read.inputs();
  for (const admit::BatchInput& input : inputs) points.push_back({input.service, input});
  const std::string emitter = peer.name + "/firehose";
  const std::array<std::string_view, 2> identity = {peer.name, id};
  MixedInput input{Protocol::kCloudWatch, points, std::move(refused.rejections)};
  input.bytes = body.text.size();
  input.source = {emitter, FingerprintOf(identity).lo, 1};
  Answered<WriteAnswer> answered;
  core_.Take(std::move(input), peer, call.header("traceparent"),
             core_.Heard(peer, Protocol::kCloudWatch, call.body.size(), answered.Keep()));
  const Result<WriteAnswer> answer = answered.Wait();
  if (!answer) return Reply(HttpStatusOf(answer.error().code), id, answer.error().message);
  if (AllForeign(*answer)) return Reply(403, id, answer->rejections.front().example);
  return Reply(200, id, "");
}

void CloudWatchFace::LogNew(const std::set<std::string>& unmapped) {
  const std::lock_guard lock(mutex_);
  for (const std::string& name : unmapped) {
    if (logged_.size() >= kNamesMax) return;
    if (logged_.insert(name).second)
      log::Info("cloudwatch_unmapped", {{"metric", Truncate(ScrubUtf8(name), 500)}});
  }
}

}  // namespace liveops::ingest
