#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

// Signatures of messages by pinned certificates: X.509 (RFC 5280) with RSA keys, RSASSA-PKCS1-v1_5
// (RFC 8017, 8.2). A pinned certificate is trusted as it is: no chain is followed, nothing is
// fetched, no revocation is asked for. Pure, and thread-safe: immutable.
namespace liveops::http {

enum class SignatureHash : std::uint8_t { kSha1, kSha256 };

class SigningCertificate {
 public:
  static constexpr int kKeyBitsMin = 2048;

  // All certificates of a PEM text (RFC 7468), at least one; what stands between them is skipped.
  // kInvalid: there is none, one cannot be read, or its key is not RSA of at least kKeyBitsMin.
  static Result<std::vector<SigningCertificate>> ReadAll(std::string_view pem);

  // Is `signature` (bytes) that of `text` by this certificate's key? Says nothing of its dates.
  bool Signed(std::string_view text, std::string_view signature, SignatureHash hash) const;

  // The first and the last second of its validity count (RFC 5280, 4.1.2.5).
  bool ValidAt(RealTime now) const { return now >= from_ && now < until_ + Duration(1000); }
  RealTime from() const { return from_; }
  RealTime until() const { return until_; }

 private:
  struct Key;
  SigningCertificate(std::shared_ptr<const Key> key, RealTime from, RealTime until)
      : key_(std::move(key)), from_(from), until_(until) {}

  std::shared_ptr<const Key> key_;
  RealTime from_{};
  RealTime until_{};
};

}  // namespace liveops::http
