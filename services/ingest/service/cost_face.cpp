#include "services/ingest/service/cost_face.h"

#include <string>
#include <utility>
#include <vector>

#include "services/ingest/service/http_body.h"
#include "services/ingest/service/http_parts.h"

namespace liveops::ingest {

http::Reply CostFace::Handle(const http::Call& call, const rpc::Peer& peer) {
  const std::lock_guard lock(one_);
  const Result<RealTime> now = core_.Gate(0);
  if (!now) return ToReply(now.error());
  const HttpBody body(call, bytes_max_);
  if (body.status != 200) return Text(body.status, body.why);
  // Who may write one service alone means it.
  const std::string service = peer.services.size() == 1 ? *peer.services.begin() : "";
  const Result<cost::Report> report = cost::ReadReport(body.text, settings_, service, *now);
  if (!report) return ToReply(report.error());
  if (report->bytes() > core_.settings().in_flight_bytes_max / 2)
    return Text(413,
                "the report has too many periods and labels for one request; send it in parts");

  std::vector<ServicePoints> points;
  const std::vector<admit::BatchInput> inputs = report->inputs();
  for (const admit::BatchInput& input : inputs) points.push_back({input.service, input});
  admit::Admission refused;  // as everywhere, bad lines are counted
  if (report->bad > 0) {
    refused.Reject(admit::Refusal::kUnsupported, report->bad, report->problems.front());
  }
  MixedInput input{Protocol::kCost, points, std::move(refused.rejections)};
  input.bytes = report->bytes();
  input.past = settings_.past;
  Answered<WriteAnswer> answered;
  core_.Take(std::move(input), peer, call.header("traceparent"),
             core_.Heard(peer, Protocol::kCost, call.body.size(), answered.Keep()));
  Result<WriteAnswer> answer = answered.Wait();
  if (!answer) return ToReply(answer.error());
  // What else was refused; those are told with their lines.
  std::erase_if(answer->rejections, [](const admit::Rejection& rejection) {
    return rejection.reason == admit::Refusal::kUnsupported;
  });
  const bool nothing_good = report->lines > 0 && report->bad == report->lines;
  const int status = nothing_good ? 400 : AllForeign(*answer) ? 403 : 200;
  return {status,
          "application/json",
          cost::Answer(*report, answer->accepted_points, answer->rejections),
          {}};
}

}  // namespace liveops::ingest
