#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/support/status.h>

#include <algorithm>

#include "common/base/text.h"
#include "common/rpc/server.h"

namespace liveops::rpc {
namespace {

// A status travels in HTTP/2 trailers, of which peers accept 8 KiB by default, percent-encoded and
// twice.
constexpr std::size_t kMessageBytesMax = 1200;

grpc::StatusCode CodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case ErrorCode::kNotFound:
      return grpc::StatusCode::NOT_FOUND;
    case ErrorCode::kConflict:
      return grpc::StatusCode::ABORTED;
    case ErrorCode::kDenied:
      return grpc::StatusCode::PERMISSION_DENIED;
    case ErrorCode::kUnavailable:
      return grpc::StatusCode::UNAVAILABLE;
    case ErrorCode::kTimeout:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    case ErrorCode::kInternal:
      return grpc::StatusCode::INTERNAL;
  }
  return grpc::StatusCode::INTERNAL;
}

}  // namespace

grpc::Status ToGrpc(const Error& error, Duration retry_after) {
  const grpc::StatusCode code = CodeOf(error.code);
  const std::string message = ScrubUtf8(Truncate(error.message, kMessageBytesMax));
  if (error.code != ErrorCode::kUnavailable) return {code, message};

  // https://grpc.io/docs/guides/error/#richer-error-model: the details are a google.rpc.Status.
  google::rpc::RetryInfo retry;
  const std::int64_t ms = std::max<std::int64_t>(retry_after.count(), 0);
  retry.mutable_retry_delay()->set_seconds(ms / 1000);
  retry.mutable_retry_delay()->set_nanos(static_cast<std::int32_t>(ms % 1000) * 1'000'000);
  google::rpc::Status details;
  details.set_code(static_cast<int>(code));
  details.set_message(message);
  details.add_details()->PackFrom(retry);
  return {code, message, details.SerializeAsString()};
}

}  // namespace liveops::rpc
