#pragma once

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

namespace liveops::wire::testing {

// libprotobuf's lines about a test's garbage would only puzzle.
class QuietProtobuf : public ::testing::Test {
 protected:
  QuietProtobuf() : before_(google::protobuf::SetLogHandler(nullptr)) {}
  ~QuietProtobuf() override { google::protobuf::SetLogHandler(before_); }

 private:
  google::protobuf::LogHandler* before_;
};

}  // namespace liveops::wire::testing
