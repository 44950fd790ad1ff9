#include "common/rpc/gzip.h"

#include <zlib.h>

#include <algorithm>

namespace liveops::rpc {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for the gzip format
constexpr std::size_t kChunk = 64 << 10;

}  // namespace

struct Inflater::Impl {
  z_stream stream{};
  std::size_t bytes_max = 0;
  bool ready = false;
  bool ended = false;
  bool too_large = false;
  std::string out;
};

Inflater::Inflater(std::size_t bytes_max) : impl_(std::make_unique<Impl>()) {
  impl_->bytes_max = bytes_max;
  impl_->ready = ::inflateInit2(&impl_->stream, kGzipWindow) == Z_OK;
}

Inflater::~Inflater() { ::inflateEnd(&impl_->stream); }

bool Inflater::too_large() const { return impl_->too_large; }

Status Inflater::Feed(std::string_view piece) {
  if (!impl_->ready) return UnavailableError("no memory to inflate the message");
  z_stream& stream = impl_->stream;
  std::string& out = impl_->out;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
  stream.avail_in = static_cast<uInt>(piece.size());
  while (stream.avail_in > 0) {
    if (impl_->ended) return InvalidError("the gzip message has bytes after its end");
    const std::size_t before = out.size();
    out.resize(std::min(before + kChunk, impl_->bytes_max + 1));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(out.size() - before);
    const int result = ::inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (out.size() > impl_->bytes_max) {
      impl_->too_large = true;
      return InvalidError("the message is larger than " + std::to_string(impl_->bytes_max) +
                          " bytes");
    }
    if (result == Z_STREAM_END) {
      impl_->ended = true;
    } else if (result != Z_OK) {
      return InvalidError("the message is not sound gzip");
    }
  }
  return {};
}

Result<std::string> Inflater::Take() {
  if (!impl_->ended) return InvalidError("the gzip message is cut off");
  return std::move(impl_->out);
}

}  // namespace liveops::rpc
