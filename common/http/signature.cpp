#include "common/http/signature.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <time.h>

#include <limits>
#include <optional>

namespace liveops::http {
namespace {

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* p) const {
    kFree(p);
  }
};
template <typename T, auto kFree>
using Owned = std::unique_ptr<T, Freed<kFree>>;

// What failed here must not be found by whoever asks this thread's queue of errors next.
struct ErrorQueue {
  ~ErrorQueue() { ERR_clear_error(); }
};

std::optional<RealTime> TimeOf(const ASN1_TIME* at) {
  tm parts{};
  if (ASN1_TIME_to_tm(at, &parts) != 1) return std::nullopt;
  return RealFromMs(static_cast<std::int64_t>(::timegm(&parts)) * 1000);
}

}  // namespace

struct SigningCertificate::Key {
  Owned<EVP_PKEY, EVP_PKEY_free> key;
};

Result<std::vector<SigningCertificate>> SigningCertificate::ReadAll(std::string_view pem) {
  const ErrorQueue queue;
  if (pem.size() > std::numeric_limits<int>::max()) return InvalidError("the PEM is too large");
  const Owned<BIO, BIO_free> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<SigningCertificate> out;
  while (true) {
    const std::string which = "certificate " + std::to_string(out.size() + 1);
    const Owned<X509, X509_free> one(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    if (one == nullptr) {
      const unsigned long why = ERR_peek_last_error();
      if (ERR_GET_LIB(why) != ERR_LIB_PEM || ERR_GET_REASON(why) != PEM_R_NO_START_LINE)
        return InvalidError(which + " cannot be read");
      break;
    }
    auto key = std::make_shared<Key>();
    key->key.reset(X509_get_pubkey(one.get()));
    if (key->key == nullptr || EVP_PKEY_get_base_id(key->key.get()) != EVP_PKEY_RSA ||
        EVP_PKEY_get_bits(key->key.get()) < kKeyBitsMin) {
      return InvalidError(which + " has no RSA key of at least " + std::to_string(kKeyBitsMin) +
                          " bits");
    }
    const auto from = TimeOf(X509_get0_notBefore(one.get()));
    const auto until = TimeOf(X509_get0_notAfter(one.get()));
    if (!from || !until) return InvalidError(which + " does not say when it is valid");
    out.push_back(SigningCertificate(std::move(key), *from, *until));
  }
  if (out.empty()) return InvalidError("there is no certificate");
  return out;
}

bool SigningCertificate::Signed(std::string_view text, std::string_view signature,
                                SignatureHash hash) const {
  const ErrorQueue queue;
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  const EVP_MD* const digest = hash == SignatureHash::kSha1 ? EVP_sha1() : EVP_sha256();
  // The padding is PKCS #1 v1.5's unless another one is asked for.
  if (EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key_->key.get()) != 1)
    return false;
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                          text.size()) == 1;
}

}  // namespace liveops::http
