#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/http/server.h"

// Inside this folder.
namespace liveops::ingest {

// A request's body, inflated when it is gzip. It views the call, or itself.
struct HttpBody {
  std::string inflated;
  std::string_view text;
  int status = 200;  // else what to answer, and why
  std::string why;

  HttpBody(const http::Call& call, std::size_t bytes_max);
  HttpBody(const HttpBody&) = delete;
  HttpBody& operator=(const HttpBody&) = delete;
};

}  // namespace liveops::ingest
