#include <grpcpp/support/byte_buffer.h>

#include <vector>

#include "common/rpc/gzip.h"
#include "common/rpc/server.h"

namespace liveops::rpc {
namespace {

Error TooLarge(std::size_t bytes_max) {
  return InvalidError("the message is larger than " + std::to_string(bytes_max) + " bytes");
}

// No protobuf message begins so: 0x1f would be a field of wire type 7, which does not exist.
bool IsGzip(const grpc::Slice& first) {
  return first.size() >= 2 && first.begin()[0] == 0x1f && first.begin()[1] == 0x8b;
}

}  // namespace

Result<std::string> MessageBytes(const grpc::ByteBuffer& message, std::size_t bytes_max) {
  if (message.Length() > bytes_max) return TooLarge(bytes_max);
  std::vector<grpc::Slice> slices;
  if (!message.Dump(&slices).ok()) return InternalError("the message cannot be read");
  std::string out;
  if (slices.empty() || !IsGzip(slices.front())) {
    out.reserve(message.Length());
    for (const grpc::Slice& slice : slices)
      out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    return out;
  }
  Inflater inflater(bytes_max);
  for (const grpc::Slice& slice : slices) {
    if (const Status s =
            inflater.Feed({reinterpret_cast<const char*>(slice.begin()), slice.size()});
        !s) {
      return s.error();
    }
  }
  return inflater.Take();
}

}  // namespace liveops::rpc
