#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <string>

#include "services/ingest/codec/request_reader.h"
#include "services/ingest/service/core.h"

// Inside this folder: the streams of liveops.v1.Ingest. Each reactor deletes itself when its call
// is done. At most 32 requests of a stream are on their way to Kafka; the next is not read before.
namespace liveops::ingest {

// Reactors for one call; `core` must outlive it.
grpc::ServerReadReactor<grpc::ByteBuffer>* NewWriteStream(
    Core& core, std::size_t message_bytes_max, const grpc::CallbackServerContext& context,
    grpc::ByteBuffer* response);
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* NewWriteSeries(
    Core& core, std::size_t message_bytes_max, const grpc::CallbackServerContext& context);

// What the unary call shares with them.

// One request as it came: its bytes, and what was read of them without a copy.
class RawRequest {
 public:
  // kInvalid: too large, not gzip, no WriteRequest.
  Status Read(const grpc::ByteBuffer& buffer, std::size_t bytes_max);
  std::size_t bytes() const { return bytes_.size(); }
  const wire::Source& source() const { return reader_.source(); }
  const admit::BatchInput& input() const { return reader_.input(); }

 private:
  std::string bytes_;
  RequestReader reader_;
};

std::string Traceparent(const grpc::CallbackServerContext& context);
grpc::ByteBuffer ToBuffer(const google::protobuf::MessageLite& message);
grpc::ByteBuffer ToBuffer(const WriteAnswer& answer, std::uint64_t sequence);  // WriteResponse
// `retry_after`: of what may be tried again.
grpc::Status ToStatus(const Error& error, Duration retry_after = Duration(1'000));

}  // namespace liveops::ingest
