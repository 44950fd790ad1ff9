#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include "common/rpc/server.h"

namespace liveops::rpc {
namespace {

TEST(ToGrpc, MapsEveryCode) {
  EXPECT_EQ(ToGrpc(InvalidError("x")).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ToGrpc(NotFoundError("x")).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ToGrpc(ConflictError("x")).error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(ToGrpc(DeniedError("x")).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ToGrpc(TimeoutError("x")).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(ToGrpc(InternalError("x")).error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_TRUE(ToGrpc(InvalidError("x")).error_details().empty());
}

TEST(ToGrpc, UnavailableSaysWhenToComeBack) {
  const grpc::Status status = ToGrpc(UnavailableError("the queue is full \xff"), Duration(1500));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), 14);
  ASSERT_EQ(details.details_size(), 1);
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(details.details(0).UnpackTo(&retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);
  EXPECT_LT(ToGrpc(UnavailableError(std::string(100'000, '\xff'))).error_message().size(), 4000u);
}

TEST(MessageBytes, RefusesBrokenGzip) {
  const auto read = [](std::string_view text) {
    const grpc::Slice slice(text.data(), text.size());
    return MessageBytes(grpc::ByteBuffer(&slice, 1), 1000);
  };
  EXPECT_EQ(*read("plain"), "plain");
  EXPECT_EQ(*read(""), "");
  EXPECT_EQ(read("\x1f\x8b").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(read("\x1f\x8b\x08garbage that is no deflate stream").error().code,
            ErrorCode::kInvalid);
  EXPECT_EQ(read(std::string(1001, 'x')).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace liveops::rpc
