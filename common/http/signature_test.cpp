#include "common/http/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/http/signing_for_tests.h"

namespace liveops::http {
namespace {

using ::testing::HasSubstr;

const RealTime kFrom = RealFromMs(1'770'000'000'000);
const RealTime kUntil = kFrom + Duration(86'400'000);

const SigningKey& Key() {
  static const SigningKey key(kFrom, kUntil);
  return key;
}
SigningCertificate Certificate() { return SigningCertificate::ReadAll(Key().pem())->front(); }

class Signature : public ::testing::TestWithParam<SignatureHash> {};

TEST_P(Signature, IsOfOneTextByOneKeyAndOneHash) {
  const SignatureHash hash = GetParam();
  const SignatureHash other =
      hash == SignatureHash::kSha1 ? SignatureHash::kSha256 : SignatureHash::kSha1;
  const std::string made = Key().Sign("text", hash);
  EXPECT_TRUE(Certificate().Signed("text", made, hash));
  EXPECT_FALSE(Certificate().Signed("texT", made, hash));
  EXPECT_FALSE(Certificate().Signed("text\n", made, hash));
  EXPECT_FALSE(Certificate().Signed("text", made, other));
  EXPECT_FALSE(Certificate().Signed("text", "", hash));
  EXPECT_FALSE(Certificate().Signed("text", made.substr(1), hash));
  for (const std::size_t at : {std::size_t{0}, made.size() / 2, made.size() - 1}) {
    std::string altered = made;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    EXPECT_FALSE(Certificate().Signed("text", altered, hash)) << at;
  }
  const SigningKey forger(kFrom, kUntil);
  EXPECT_FALSE(Certificate().Signed("text", forger.Sign("text", hash), hash));
  EXPECT_TRUE(Certificate().Signed("", Key().Sign("", hash), hash));
  EXPECT_TRUE(Certificate().Signed("text", made, hash)) << "a failure leaves nothing behind";
}

INSTANTIATE_TEST_SUITE_P(All, Signature,
                         testing::Values(SignatureHash::kSha1, SignatureHash::kSha256));

TEST(SigningCertificate, IsValidFromItsFirstSecondToItsLast) {
  const SigningCertificate one = Certificate();
  EXPECT_EQ(one.from(), kFrom);
  EXPECT_EQ(one.until(), kUntil);
  EXPECT_FALSE(one.ValidAt(kFrom - Duration(1)));
  EXPECT_TRUE(one.ValidAt(kFrom));
  EXPECT_TRUE(one.ValidAt(kUntil + Duration(999)));
  EXPECT_FALSE(one.ValidAt(kUntil + Duration(1000)));
}

TEST(SigningCertificate, SeveralOfOneText) {
  const SigningKey other(kFrom, kUntil + Duration(1000));
  const auto all = SigningCertificate::ReadAll("of 2026\n" + Key().pem() + "of 2027\n" +
                                               other.pem() + "\nno more\n");
  ASSERT_TRUE(all.ok()) << all.error().message;
  ASSERT_EQ(all->size(), 2u);
  const std::string made = other.Sign("text", SignatureHash::kSha256);
  EXPECT_FALSE((*all)[0].Signed("text", made, SignatureHash::kSha256));
  EXPECT_TRUE((*all)[1].Signed("text", made, SignatureHash::kSha256));
}

std::string ProblemOf(const std::string& pem) {
  const auto read = SigningCertificate::ReadAll(pem);
  return read.ok() ? "" : read.error().message;
}

TEST(SigningCertificate, WhatIsNone) {
  EXPECT_THAT(ProblemOf(""), HasSubstr("there is no certificate"));
  EXPECT_THAT(ProblemOf("x"), HasSubstr("there is no certificate"));
  std::string broken = Key().pem();
  broken.replace(broken.size() / 2, 8, "!!!!!!!!");
  EXPECT_THAT(ProblemOf(Key().pem() + broken), HasSubstr("certificate 2 cannot be read"));
  EXPECT_THAT(ProblemOf(Key().pem().substr(0, 400)), HasSubstr("certificate 1 cannot be read"));
  EXPECT_THAT(ProblemOf(SigningKey(kFrom, kUntil, 1024).pem()), HasSubstr("2048 bits"));
  EXPECT_THAT(ProblemOf(SigningKey::Elliptic(kFrom, kUntil).pem()), HasSubstr("no RSA key"));
}

}  // namespace
}  // namespace liveops::http
