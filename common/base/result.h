#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace liveops {

// Why something could not be done, in the terms of the caller: is it worth trying again, and what
// to tell a person.
enum class ErrorCode {
  kInvalid,      // the input is wrong and stays wrong; do not retry
  kNotFound,     // what was asked for does not exist
  kConflict,     // another writer, version or owner was first
  kDenied,       // the identity may not do this
  kUnavailable,  // a dependency is away; retry later
  kTimeout,      // no answer in time: the effect is not known
  kInternal,     // a broken invariant in our own code or stored data
};

// The word used in logs and messages, e.g. "unavailable".
const char* ErrorCodeName(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // a sentence part without a final stop: "cannot open /x: no such file"
};

inline Error InvalidError(std::string message) { return {ErrorCode::kInvalid, std::move(message)}; }
inline Error NotFoundError(std::string message) {
  return {ErrorCode::kNotFound, std::move(message)};
}
inline Error ConflictError(std::string message) {
  return {ErrorCode::kConflict, std::move(message)};
}
inline Error DeniedError(std::string message) { return {ErrorCode::kDenied, std::move(message)}; }
inline Error UnavailableError(std::string message) {
  return {ErrorCode::kUnavailable, std::move(message)};
}
inline Error TimeoutError(std::string message) { return {ErrorCode::kTimeout, std::move(message)}; }
inline Error InternalError(std::string message) {
  return {ErrorCode::kInternal, std::move(message)};
}

// Either a value or an Error. Asking the wrong one is undefined: test ok() first.
// (g++ 12 has no std::expected, and Debian's absl::Status does not print through fmt.)
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by intent
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return *std::get_if<0>(&state_); }
  const T& value() const& { return *std::get_if<0>(&state_); }
  T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by intent

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace liveops
