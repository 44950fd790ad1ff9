#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/redis/redis.h"

// For unit tests: what a client sees of Redis, without Redis.
namespace liveops::redis::testing {

// Answers every command on loopback with the bytes that `answer` gives for it (in Redis' own
// protocol), on a thread of its own, one connection at a time.
class FakeServer {
 public:
  using Answer = std::function<std::string(const Command&)>;

  explicit FakeServer(Answer answer) : answer_(std::move(answer)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, 4) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      std::abort();  // the machine has no loopback: nothing can be tested
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  // The clients must be gone by then: a connection is served until its client closes it.
  ~FakeServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  Config config() const {
    Config config;
    config.port = port_;
    config.timeout = Duration(10'000);
    return config;
  }

 private:
  void Serve() {
    while (true) {
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      std::string unread;
      char piece[4096];
      ssize_t got = 0;
      while ((got = recv(connection, piece, sizeof piece, 0)) > 0) {
        unread.append(piece, static_cast<std::size_t>(got));
        Command command;
        while (Take(unread, command)) {
          const std::string bytes = answer_(command);
          (void)send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        }
      }
      close(connection);
    }
  }

  // Takes a whole command off the front: "*<parts>", then each part as "$<length>" and its bytes.
  static bool Take(std::string& unread, Command& command) {
    std::size_t at = 0;
    std::size_t parts = 0;
    if (!Number(unread, at, parts)) return false;
    command.clear();
    for (std::size_t i = 0; i < parts; ++i) {
      std::size_t length = 0;
      if (!Number(unread, at, length) || unread.size() < at + length + 2) return false;
      command.push_back(unread.substr(at, length));
      at += length + 2;
    }
    unread.erase(0, at);
    return true;
  }
  static bool Number(const std::string& unread, std::size_t& at, std::size_t& number) {
    const std::size_t end = unread.find("\r\n", at);
    if (end == std::string::npos) return false;
    number = std::strtoul(unread.c_str() + at + 1, nullptr, 10);
    at = end + 2;
    return true;
  }

  Answer answer_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace liveops::redis::testing
