#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "common/base/time.h"
#include "common/http/signature.h"

// For tests: a key, made anew, and the certificate that it signed itself.
namespace liveops::http {

class SigningKey {
 public:
  SigningKey(RealTime from, RealTime until, unsigned bits = 2048)
      : SigningKey(EVP_RSA_gen(bits), from, until) {}
  static SigningKey Elliptic(RealTime from, RealTime until) {
    return SigningKey(EVP_EC_gen("P-256"), from, until);
  }

  const std::string& pem() const { return pem_; }
  // Bytes.
  std::string Sign(std::string_view text, SignatureHash hash) const {
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    EVP_DigestSignInit(context, nullptr, hash == SignatureHash::kSha1 ? EVP_sha1() : EVP_sha256(),
                       nullptr, key_.get());
    const auto* const data = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t size = 0;
    EVP_DigestSign(context, nullptr, &size, data, text.size());
    std::string out(size, '\0');
    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size, data, text.size());
    EVP_MD_CTX_free(context);
    out.resize(size);
    return out;
  }

 private:
  SigningKey(EVP_PKEY* key, RealTime from, RealTime until) : key_(key, EVP_PKEY_free) {
    X509* const certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("signer"), -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    ASN1_TIME_set(X509_getm_notBefore(certificate), ToMs(from) / 1000);
    ASN1_TIME_set(X509_getm_notAfter(certificate), ToMs(until) / 1000);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    BIO* const out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, certificate);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    pem_.assign(data, static_cast<std::size_t>(size));
    BIO_free(out);
    X509_free(certificate);
  }

  std::shared_ptr<EVP_PKEY> key_;
  std::string pem_;
};

inline std::string Base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace liveops::http
