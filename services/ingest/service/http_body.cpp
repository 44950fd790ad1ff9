#include "services/ingest/service/http_body.h"

#include <utility>

#include "common/rpc/gzip.h"
#include "services/ingest/service/http_parts.h"

namespace liveops::ingest {

HttpBody::HttpBody(const http::Call& call, std::size_t bytes_max) : text(call.body) {
  const std::string encoding = call.header("Content-Encoding");
  if (encoding.empty() || SameWord(encoding, "identity")) return;
  if (!SameWord(encoding, "gzip")) {
    status = 415;
    why = ContentFault("encoding", encoding) + "; gzip and identity are";
    return;
  }
  rpc::Inflater inflater(bytes_max);
  const Status fed = inflater.Feed(text);
  Result<std::string> whole = fed.ok() ? inflater.Take() : fed.error();
  if (!whole) {
    status = inflater.too_large() ? 413 : 400;
    why = whole.error().message;
    return;
  }
  inflated = *std::move(whole);
  text = inflated;
}

}  // namespace liveops::ingest
