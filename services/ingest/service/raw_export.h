#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <string>

#include "common/rpc/server.h"
#include "services/ingest/service/write_streams.h"

// Inside this folder: what the unary calls share.
namespace liveops::ingest {

// Answers a call whose request is read by a codec of ours. `intake`, which outlives the call, takes
// it (`Export(bytes, peer, traceparent, done)`) and says when to come again after a refusal
// (`RetryAfter(identity)`); `respond(rejections)` makes the message that tells what came of it.
template <typename Intake, typename Respond>
grpc::ServerUnaryReactor* ExportRaw(grpc::CallbackServerContext& context,
                                    const grpc::ByteBuffer& buffer, std::size_t bytes_max,
                                    grpc::ByteBuffer* response, Intake& intake, Respond respond) {
  auto* const reactor = context.DefaultReactor();
  const Result<std::string> request = rpc::MessageBytes(buffer, bytes_max);
  if (!request) {
    reactor->Finish(ToStatus(request.error()));
    return reactor;
  }
  const rpc::Peer peer = rpc::PeerOf(context);
  intake.Export(*request, peer, Traceparent(context),
                [reactor, response, respond, &intake,
                 identity = peer.name](const Result<WriteAnswer>& result) {
                  if (!result)
                    return reactor->Finish(ToStatus(result.error(), intake.RetryAfter(identity)));
                  *response = ToBuffer(respond(result->rejections));
                  reactor->Finish(grpc::Status::OK);
                });
  return reactor;
}

}  // namespace liveops::ingest
