#include "services/ingest/service/http_remote_write.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "services/ingest/codec/rejection_sentence.h"
#include "services/ingest/codec/snappy_block.h"
#include "services/ingest/service/http_parts.h"

namespace liveops::ingest {
namespace {

constexpr std::string_view kProtobuf = "application/x-protobuf";
constexpr std::string_view kMessage1 = "prometheus.WriteRequest";
constexpr std::string_view kMessage2 = "io.prometheus.write.v2.Request";

}  // namespace

http::Reply RemoteWriteFace::Handle(const http::Call& call, const rpc::Peer& peer) {
  const std::string type_text = call.header("Content-Type");
  const MediaType type = ParseMediaType(type_text);
  const bool first = type.proto.empty() || type.proto == kMessage1;
  if (!SameWord(type.type, kProtobuf) || (!first && type.proto != kMessage2)) {
    return Text(415, ContentFault("type", type_text) +
                         "; remote write takes application/x-protobuf, of the message "
                         "prometheus.WriteRequest or io.prometheus.write.v2.Request");
  }
  RemoteWrites::Answer written;
  http::Reply reply = WriteMessage(
      call, first ? RemoteWrites::Version::k1 : RemoteWrites::Version::k2, peer, written);
  if (first) return reply;
  // Of 2.0: a sender compares them with what it sent. A stale marker did its work.
  const std::uint64_t histograms = written.points.accepted_histograms;
  const std::uint64_t samples = written.points.accepted_points - histograms + written.stale_markers;
  const auto add = [&](const char* what, std::uint64_t count) {
    reply.headers.emplace_back(std::string("X-Prometheus-Remote-Write-") + what + "-Written",
                               std::to_string(count));
  };
  add("Samples", samples);
  add("Histograms", histograms);
  add("Exemplars", written.exemplars);
  return reply;
}

http::Reply RemoteWriteFace::WriteMessage(const http::Call& call, RemoteWrites::Version version,
                                          const rpc::Peer& peer, RemoteWrites::Answer& written) {
  const std::string encoding = call.header("Content-Encoding");
  if (!encoding.empty() && !SameWord(encoding, "snappy"))
    return Text(415, ContentFault("encoding", encoding) + "; remote write takes snappy");
  const auto length = SnappyLength(call.body);
  if (length && *length > message_bytes_max_) {
    return Text(413, "the body holds " + std::to_string(*length) + " bytes, at most " +
                         std::to_string(message_bytes_max_) + " are allowed");
  }
  const Result<std::string> message = ReadSnappyBlock(call.body, message_bytes_max_);
  if (!message) return ToReply(message.error());
  Answered<RemoteWrites::Answer> answered;
  remote_writes_.Write(version, *message, peer, call.header("traceparent"), answered.Keep());
  const Result<RemoteWrites::Answer> answer = answered.Wait();
  if (!answer) return ToReply(answer.error());
  written = *answer;
  if (written.points.rejections.empty()) return {204, "", "", {}};
  return Text(400, RejectionSentence(written.points.rejections));
}

}  // namespace liveops::ingest
