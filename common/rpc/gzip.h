#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace liveops::rpc {

// Inflates gzip (RFC 1952) piece by piece, into at most `bytes_max` of memory.
class Inflater {
 public:
  explicit Inflater(std::size_t bytes_max);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // kInvalid: it is no gzip, or holds more than it may.
  Status Feed(std::string_view piece);
  // Whether Feed failed since it holds too much.
  bool too_large() const;
  // When all was fed. kInvalid: it is cut off.
  Result<std::string> Take();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace liveops::rpc
