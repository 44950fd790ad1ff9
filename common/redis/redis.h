#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

// Redis over hiredis: memory that can be rebuilt. Values stay under 256 KiB (a large value holds
// every client up).
namespace liveops::redis {

struct Config {
  std::string host = "127.0.0.1";
  int port = 6379;
  std::string password;   // "" = none
  Duration timeout{250};  // of connecting and of each answer, steady
};

// One answer. Exactly one of the fields is meaningful, by kind.
struct Reply {
  enum class Kind { kNil, kText, kInteger, kArray } kind = Kind::kNil;
  std::string text;
  std::int64_t integer = 0;
  std::vector<Reply> array;

  bool nil() const { return kind == Kind::kNil; }
};

using Command = std::vector<std::string>;

// Thread-safe: one connection behind a lock, opened at the first use and again after a failure (at
// most once each 500 ms). After any time-out the connection is closed, since a late reply would
// answer the next question.
class Client {
 public:
  explicit Client(Config config);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // kUnavailable: not connected, connection lost, no answer in time, or an answer that says "not
  // now" (Redis loads its data, has no primary, runs a script, has no memory left). kInvalid: Redis
  // answered with any other error.
  Result<Reply> Run(const Command& command);
  // One round trip for all; the replies are in the order of the commands. The first error answer
  // fails the whole.
  Result<std::vector<Reply>> RunAll(const std::vector<Command>& commands);
  // One EVAL: atomic on the server.
  Result<Reply> Script(const std::string& script, const std::vector<std::string>& keys,
                       const std::vector<std::string>& args);

  bool connected() const;  // what the last command saw

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace liveops::redis
