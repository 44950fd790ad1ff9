#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "common/http/http.h"

namespace liveops::http {
namespace {

// A local server on a free port.
class LocalServer {
 public:
  LocalServer() {
    server.set_keep_alive_max_count(1000);
    server.set_tcp_nodelay(true);
    port = server.bind_to_any_port("127.0.0.1");
    thread = std::thread([this] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();
  }
  ~LocalServer() {
    server.stop();
    thread.join();
  }
  std::string Url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port) + path;
  }
  httplib::Server server;
  int port = 0;
  std::thread thread;
};

// Listens, and lets the test play the server byte by byte.
class RawServer {
 public:
  RawServer() {
    listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    EXPECT_EQ(listen(listener, 8), 0);
  }
  ~RawServer() { close(listener); }
  int Accept() const { return accept(listener, nullptr, nullptr); }
  // Reads until the text that ends the request was seen.
  static std::string ReadUntil(int connection, std::string_view end) {
    std::string got;
    char buffer[4096];
    while (got.find(end) == std::string::npos) {
      const ssize_t n = read(connection, buffer, sizeof buffer);
      if (n <= 0) break;
      got.append(buffer, static_cast<std::size_t>(n));
    }
    return got;
  }
  std::string Url() const { return "http://127.0.0.1:" + std::to_string(port) + "/"; }
  int listener = -1;
  int port = 0;
};

SenderConfig Local() { return {.allow_private_hosts = {"127.0.0.1"}, .ca_file = ""}; }

Outcome Exchange(Sender& sender, Request request) {
  std::promise<Outcome> promise;
  auto future = promise.get_future();
  sender.Send(std::move(request), [&](const Outcome& outcome) { promise.set_value(outcome); });
  return future.get();
}

Request Post(std::string url, std::string body = "{}") {
  Request request;
  request.url = std::move(url);
  request.headers = {{"Content-Type", "application/json"}};
  request.body = std::move(body);
  return request;
}

TEST(Sender, SendsTheBodyAndGivesBackStatusHeadersAndBody) {
  LocalServer local;
  std::string seen;
  local.server.Post("/hook", [&](const httplib::Request& in, httplib::Response& out) {
    seen = in.get_header_value("Content-Type") + "|" + in.body;
    out.status = 429;
    out.set_header("Retry-After", "7");
    out.set_content("slow down", "text/plain");
  });
  Sender sender(Local());
  const Outcome outcome = Exchange(sender, Post(local.Url("/hook"), "{\"text\":\"hi\"}"));
  ASSERT_TRUE(outcome.answered) << outcome.error.message;
  EXPECT_EQ(outcome.response.status, 429);
  EXPECT_EQ(outcome.response.headers.at("retry-after"), "7");
  EXPECT_EQ(outcome.response.body, "slow down");
  EXPECT_FALSE(outcome.surely_not_sent);
  EXPECT_EQ(seen, "application/json|{\"text\":\"hi\"}");
}

TEST(Sender, KeepsConnectionsAlive) {
  LocalServer local;
  std::set<int> ports;
  local.server.Post("/", [&](const httplib::Request& in, httplib::Response& out) {
    ports.insert(in.remote_port);
    out.set_content("ok", "text/plain");
  });
  Sender sender(Local());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Exchange(sender, Post(local.Url("/"))).answered);
  EXPECT_EQ(ports.size(), 1u);
}

TEST(Sender, RefusesPrivateAddressesUnlessTheHostIsAllowed) {
  LocalServer local;
  std::atomic<int> hits = 0;
  local.server.Post("/", [&](const httplib::Request&, httplib::Response&) { ++hits; });
  Sender sender(SenderConfig{});
  const std::string port = std::to_string(local.port);
  for (const std::string host :
       {"127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "0"}) {
    const Outcome outcome = Exchange(sender, Post("http://" + host + ":" + port + "/"));
    EXPECT_FALSE(outcome.answered) << host;
    EXPECT_TRUE(outcome.surely_not_sent) << host;
    EXPECT_EQ(outcome.error.code, ErrorCode::kDenied) << host << ": " << outcome.error.message;
  }
  EXPECT_EQ(hits, 0);
}

TEST(Sender, DoesNotFollowRedirects) {
  LocalServer local;
  std::atomic<int> hits = 0;
  local.server.Post("/away", [&](const httplib::Request&, httplib::Response& out) {
    out.set_redirect("/inside", 307);
  });
  local.server.Post("/inside", [&](const httplib::Request&, httplib::Response&) { ++hits; });
  Sender sender(Local());
  EXPECT_EQ(Exchange(sender, Post(local.Url("/away"))).response.status, 307);
  EXPECT_EQ(hits, 0);
}

TEST(Sender, OnlyHttpAndHttps) {
  Sender sender(Local());
  for (const char* url :
       {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "", "http://"}) {
    const Outcome outcome = Exchange(sender, Post(url));
    EXPECT_EQ(outcome.error.code, ErrorCode::kInvalid) << url;
    EXPECT_TRUE(outcome.surely_not_sent) << url;
  }
}

TEST(Sender, RefusesHeadersThatWouldAddLines) {
  Sender sender(Local());
  Request request = Post("http://127.0.0.1:1/");
  request.headers.emplace_back("X-Name", "a\r\nBcc: b");
  EXPECT_EQ(Exchange(sender, request).error.code, ErrorCode::kInvalid);
}

TEST(Sender, ARefusedConnectionIsSurelyNotSent) {
  RawServer raw;
  const std::string url = raw.Url();
  close(raw.listener);
  raw.listener = -1;
  Sender sender(Local());
  const Outcome outcome = Exchange(sender, Post(url));
  EXPECT_FALSE(outcome.answered);
  EXPECT_TRUE(outcome.surely_not_sent);
  EXPECT_EQ(outcome.error.code, ErrorCode::kUnavailable);
}

TEST(Sender, ATimeOutAfterTheBodyLeftIsInDoubt) {
  RawServer raw;
  Sender sender(Local());
  Request request = Post(raw.Url(), "the-body");
  request.timeout = Duration(300);
  std::thread server([&] {
    const int connection = raw.Accept();
    RawServer::ReadUntil(connection, "the-body");
    char byte;
    (void)!read(connection, &byte, 1);  // until the client gives up
    close(connection);
  });
  const Outcome outcome = Exchange(sender, request);
  server.join();
  EXPECT_FALSE(outcome.answered);
  EXPECT_EQ(outcome.error.code, ErrorCode::kTimeout);
  EXPECT_FALSE(outcome.surely_not_sent);
}

// libcurl by default repeats a request when a kept-alive connection dies before an answer: a second
// page.
TEST(Sender, DoesNotRepeatByItselfWhenAKeptAliveConnectionDiesAfterTheBody) {
  RawServer raw;
  Sender sender(Local());
  std::atomic<int> requests = 0;
  std::thread server([&] {
    const int first = raw.Accept();
    RawServer::ReadUntil(first, "body-1");
    ++requests;
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    (void)!write(first, answer.data(), answer.size());
    RawServer::ReadUntil(first, "body-2");
    ++requests;
    close(first);
    const int second = raw.Accept();  // woken by the test's own connection at the latest
    if (!RawServer::ReadUntil(second, "body-2").empty()) ++requests;
    close(second);
  });
  EXPECT_TRUE(Exchange(sender, Post(raw.Url(), "body-1")).answered);
  const Outcome outcome = Exchange(sender, Post(raw.Url(), "body-2"));
  const int self = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(raw.port));
  connect(self, reinterpret_cast<sockaddr*>(&address), sizeof address);
  close(self);
  server.join();
  EXPECT_FALSE(outcome.answered);
  EXPECT_FALSE(outcome.surely_not_sent);
  EXPECT_EQ(requests, 2);
}

TEST(Sender, CapsTheBodyThatItKeeps) {
  LocalServer local;
  local.server.Post("/", [&](const httplib::Request&, httplib::Response& out) {
    out.set_content(std::string(1 << 20, 'x'), "text/plain");
  });
  Sender sender(Local());
  EXPECT_EQ(Exchange(sender, Post(local.Url("/"))).response.body.size(), 64u << 10);
}

TEST(Sender, AsksAtTheLastMomentWhetherTheRequestIsStillWanted) {
  LocalServer local;
  std::atomic<int> hits = 0;
  local.server.Post("/", [&](const httplib::Request&, httplib::Response&) { ++hits; });
  Sender sender(Local());
  Request request = Post(local.Url("/"));
  request.still_wanted = [] { return false; };
  const Outcome outcome = Exchange(sender, request);
  EXPECT_EQ(outcome.error.code, ErrorCode::kConflict);
  EXPECT_TRUE(outcome.surely_not_sent);
  EXPECT_EQ(hits, 0);
}

TEST(Sender, WhatIsUnderWayAtTheEndIsInDoubt) {
  RawServer raw;
  std::promise<Outcome> promise;
  std::thread server;
  {
    Sender sender(Local());
    std::promise<void> arrived;
    server = std::thread([&] {
      const int connection = raw.Accept();
      RawServer::ReadUntil(connection, "the-body");
      arrived.set_value();
      char byte;
      (void)!read(connection, &byte, 1);
      close(connection);
    });
    sender.Send(Post(raw.Url(), "the-body"),
                [&](const Outcome& outcome) { promise.set_value(outcome); });
    arrived.get_future().wait();
  }
  server.join();
  const Outcome outcome = promise.get_future().get();
  EXPECT_FALSE(outcome.answered);
  EXPECT_FALSE(outcome.surely_not_sent);
  EXPECT_EQ(outcome.error.code, ErrorCode::kTimeout);
}

}  // namespace
}  // namespace liveops::http
