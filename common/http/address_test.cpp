#include "common/http/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <string>

namespace liveops::http {
namespace {

std::string ScopeOfText(const char* text) {
  sockaddr_storage storage{};
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    storage.ss_family = AF_INET;
  } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
    storage.ss_family = AF_INET6;
  }
  return AddressScopeName(ScopeOf(reinterpret_cast<sockaddr*>(&storage)));
}

TEST(AddressScope, EveryWayIntoTheOwnNetworkIsSeen) {
  const std::pair<const char*, const char*> table[] = {
      {"8.8.8.8", "public"},
      {"172.15.255.255", "public"},
      {"172.16.0.1", "private"},
      {"172.31.255.255", "private"},
      {"172.32.0.0", "public"},
      {"10.1.2.3", "private"},
      {"192.168.0.1", "private"},
      {"100.64.0.1", "private"},
      {"100.128.0.1", "public"},
      {"127.0.0.1", "loopback"},
      {"127.255.0.9", "loopback"},
      {"169.254.169.254", "link-local"},
      {"0.0.0.0", "unspecified"},
      {"224.0.0.1", "reserved"},
      {"255.255.255.255", "reserved"},
      {"::1", "loopback"},
      {"::", "unspecified"},
      {"fe80::1", "link-local"},
      {"fd00:ec2::254", "private"},
      {"ff02::1", "reserved"},
      {"2606:4700::1111", "public"},
      {"::ffff:127.0.0.1", "loopback"},
      {"::ffff:169.254.169.254", "link-local"},
      {"::127.0.0.1", "loopback"},
      {"64:ff9b::10.0.0.1", "private"},
      {"2002:7f00:1::", "loopback"},
      {"::ffff:8.8.8.8", "public"},
  };
  for (const auto& [text, scope] : table) EXPECT_EQ(ScopeOfText(text), scope) << text;
}

TEST(AddressScope, AnotherFamilyIsUnknownAndSoNeverPublic) {
  sockaddr address{};
  address.sa_family = AF_UNIX;
  EXPECT_EQ(ScopeOf(&address), AddressScope::kUnknown);
}

}  // namespace
}  // namespace liveops::http
