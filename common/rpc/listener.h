#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/result.h"

// Inside this folder: who accepts connections. gRPC 1.51 has no cap on connections, takes a port
// that another process already serves (SO_REUSEPORT), and gives a listener up for good when
// descriptors run out; so we accept ourselves and hand the sockets over.
namespace liveops::rpc {

// A listening TCP socket.
struct ListenSocket {
  int fd = -1;
  int port = 0;

  ListenSocket() = default;
  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&& other) noexcept;
  ~ListenSocket();
};

// `address` is "host:port" or "[v6]:port". kInvalid: not such an address, or not a loopback one
// where `loopback_only`. kUnavailable: the port is taken.
Result<ListenSocket> Listen(const std::string& address, bool loopback_only);

// One thread that accepts on all its sockets and hands each connection over, at most
// `connections_max` at a time in all; those beyond are closed at once.
class Acceptor {
 public:
  using Take = std::function<void(int fd)>;  // takes ownership of the (non-blocking) socket

  Acceptor(std::vector<std::pair<ListenSocket, Take>> listeners, int connections_max);
  ~Acceptor() { Stop(); }
  void Stop();  // idempotent

 private:
  void Run();
  void AcceptOne(int listen_fd, const Take& take);
  void ForgetClosed();

  std::vector<std::pair<ListenSocket, Take>> listeners_;
  const std::size_t connections_max_;
  // Connections handed over: descriptor -> inode of its socket. The taker closes them without
  // telling us; a descriptor whose inode is another by now is gone. Looked at only when the cap
  // seems reached.
  std::map<int, std::uint64_t> open_;
  int wake_fd_ = -1;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace liveops::rpc
