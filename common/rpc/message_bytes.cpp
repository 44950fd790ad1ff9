#include <grpcpp/support/byte_buffer.h>
#include <zlib.h>

#include <algorithm>
#include <vector>

#include "common/rpc/server.h"

namespace liveops::rpc {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for the gzip format
constexpr std::size_t kChunk = 64 << 10;

Error TooLarge(std::size_t bytes_max) {
  return InvalidError("the message is larger than " + std::to_string(bytes_max) + " bytes");
}

// No protobuf message begins so: 0x1f would be a field of wire type 7, which does not exist.
bool IsGzip(const grpc::Slice& first) {
  return first.size() >= 2 && first.begin()[0] == 0x1f && first.begin()[1] == 0x8b;
}

class Inflater {
 public:
  Inflater() { ready_ = ::inflateInit2(&stream_, kGzipWindow) == Z_OK; }
  ~Inflater() { ::inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  Status Feed(const grpc::Slice& slice, std::size_t bytes_max, std::string& out) {
    if (!ready_) return UnavailableError("no memory to inflate the message");
    stream_.next_in = const_cast<Bytef*>(slice.begin());
    stream_.avail_in = static_cast<uInt>(slice.size());
    while (stream_.avail_in > 0) {
      if (ended_) return InvalidError("the gzip message has bytes after its end");
      const std::size_t before = out.size();
      out.resize(std::min(before + kChunk, bytes_max + 1));
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      stream_.avail_out = static_cast<uInt>(out.size() - before);
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      out.resize(out.size() - stream_.avail_out);
      if (out.size() > bytes_max) return TooLarge(bytes_max);
      if (result == Z_STREAM_END) {
        ended_ = true;
      } else if (result != Z_OK) {
        return InvalidError("the message is not sound gzip");
      }
    }
    return {};
  }
  bool ended() const { return ended_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
  bool ended_ = false;
};

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
  Inflater inflater;
  for (const grpc::Slice& slice : slices) {
    if (const Status s = inflater.Feed(slice, bytes_max, out); !s) return s.error();
  }
  if (!inflater.ended()) return InvalidError("the gzip message is cut off");
  return out;
}

}  // namespace liveops::rpc
