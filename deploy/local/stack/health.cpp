#include "deploy/local/stack/health.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <vector>

#include "common/rpc/server.h"

namespace liveops::stack {
namespace {

// HealthCheckResponse{status: SERVING}: field 1, varint 1. The request is an empty message. Debian
// ships no header for these two, and they are not worth a .proto of our own.
constexpr std::string_view kServingMessage("\x08\x01", 2);

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace

bool HealthServing(const std::string& address, const std::string& ca_file, const Identity& client) {
  grpc::GenericStub stub(rpc::Connect(address, {ca_file, client.cert, client.key}));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
  grpc::CompletionQueue queue;
  const grpc::ByteBuffer request(nullptr, 0);
  const auto call =
      stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
  grpc::ByteBuffer response;
  grpc::Status status;
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  return status.ok() && BytesOf(response) == kServingMessage;
}

}  // namespace liveops::stack
