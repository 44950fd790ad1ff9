#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

// A service's configuration file (YAML). Values may hold `${env:NAME}` and `${file:path}` (a path
// relative to the configuration file; one final newline is dropped) anywhere in them; `$${` stands
// for a literal `${`. No message that leaves this module contains a value, only keys and positions:
// any value may be a secret.
namespace liveops::config {

// Reads a file section by section and collects every problem with its line, so that all are told at
// once:
//
//   Reader reader = …;
//   settings.brokers = reader.Require("kafka.brokers");
//   settings.port = reader.Integer("redis.port", 6379);
//   if (Status s = reader.Finish(); !s.ok()) …      // also reports keys that nobody asked for
//
// Not thread-safe.
class Reader {
 public:
  // kNotFound: no such file. kInvalid: not YAML. Undefined variables and missing files are problems
  // told by Finish.
  static Result<Reader> Open(const std::string& path);
  static Result<Reader> FromText(std::string_view text, const std::string& name,
                                 const std::string& folder);
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  ~Reader();

  // Keys are dotted paths. A missing key, or one without a value (`key:`), gives the fallback;
  // Require makes it a problem, and so it does an empty value. A value of the wrong kind is a
  // problem and gives the fallback.
  std::string Require(std::string_view key);
  std::string String(std::string_view key, std::string_view fallback = "");
  std::int64_t Integer(std::string_view key, std::int64_t fallback);
  double Number(std::string_view key, double fallback);
  bool Flag(std::string_view key, bool fallback);          // true/false, yes/no, on/off
  Duration Time(std::string_view key, Duration fallback);  // "5s"
  std::vector<std::string> List(std::string_view key);
  std::map<std::string, std::string> Map(std::string_view key);  // a mapping of scalars

  // For checks of the caller's own: a problem at this key's line. One that begins with "must" is of
  // the key, which is put before it.
  void Problem(std::string_view key, std::string message);

  // OK, or kInvalid with one "file:line:column: message" a line.
  Status Finish();

 private:
  struct Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace liveops::config
