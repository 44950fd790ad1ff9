#include "common/rpc/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "common/base/host_port.h"
#include "common/telemetry/log.h"

namespace liveops::rpc {
namespace {

constexpr int kBacklog = 128;

bool IsLoopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof(v4));
    return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof(v6));
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
  }
  return false;
}

int BoundPort(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in&>(bound).sin_port);
  return ntohs(reinterpret_cast<const sockaddr_in6&>(bound).sin6_port);
}

std::uint64_t InodeOf(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 ? info.st_ino : 0;
}

}  // namespace

ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : fd(std::exchange(other.fd, -1)), port(other.port) {}
ListenSocket& ListenSocket::operator=(ListenSocket&& other) noexcept {
  std::swap(fd, other.fd);
  std::swap(port, other.port);
  return *this;
}
ListenSocket::~ListenSocket() {
  if (fd >= 0) ::close(fd);
}

Result<ListenSocket> Listen(const std::string& address, bool loopback_only) {
  const Result<HostPort> parts = ParseHostPort(address);
  if (!parts) return parts.error();
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* raw = nullptr;
  const int lookup =
      ::getaddrinfo(parts->host.c_str(), std::to_string(parts->port).c_str(), &hints, &raw);
  if (lookup != 0)
    return InvalidError("cannot resolve \"" + address + "\": " + ::gai_strerror(lookup));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found(raw, &::freeaddrinfo);
  if (loopback_only && !IsLoopback(found->ai_addr)) {
    return InvalidError(
        "\"" + address +
        "\" is not a loopback address; without TLS only 127.0.0.1 or [::1] may listen");
  }

  ListenSocket out;
  out.fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  if (out.fd < 0)
    return UnavailableError("cannot open a socket: " + std::string(std::strerror(errno)));
  ::setsockopt(out.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  ::setsockopt(out.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));  // accepted sockets inherit it
  if (::bind(out.fd, found->ai_addr, found->ai_addrlen) != 0 || ::listen(out.fd, kBacklog) != 0) {
    return UnavailableError("cannot listen on " + address + ": " + std::strerror(errno));
  }
  out.port = BoundPort(out.fd);
  return out;
}

Acceptor::Acceptor(std::vector<std::pair<ListenSocket, Take>> listeners, int connections_max)
    : listeners_(std::move(listeners)),
      connections_max_(static_cast<std::size_t>(std::max(connections_max, 1))),
      wake_fd_(::eventfd(0, EFD_CLOEXEC)) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all,
                  &before);  // signals are for others: the thread inherits the mask
  thread_ = std::thread([this] { Run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Acceptor::Stop() {
  if (stopping_.exchange(true)) return;
  const std::uint64_t one = 1;
  if (::write(wake_fd_, &one, sizeof(one)) < 0) {
    // Cannot happen for an eventfd with room; the thread also looks at the flag each second.
  }
  thread_.join();
  listeners_.clear();
  ::close(wake_fd_);
}

void Acceptor::Run() {
  std::vector<pollfd> polled;
  for (const auto& [socket, take] : listeners_) polled.push_back({socket.fd, POLLIN, 0});
  if (wake_fd_ >= 0) polled.push_back({wake_fd_, POLLIN, 0});
  const int timeout_ms = wake_fd_ >= 0 ? -1 : 1000;
  while (!stopping_) {
    if (::poll(polled.data(), polled.size(), timeout_ms) <= 0) continue;
    for (std::size_t i = 0; i < listeners_.size() && !stopping_; ++i) {
      if (polled[i].revents != 0) AcceptOne(polled[i].fd, listeners_[i].second);
    }
  }
}

void Acceptor::AcceptOne(int listen_fd, const Take& take) {
  const int fd = ::accept4(listen_fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      log::Error("accept_failed", {{"error", std::strerror(errno)}});
      std::this_thread::sleep_for(
          std::chrono::milliseconds(100));  // it stays readable: do not spin
    }
    return;
  }
  open_.erase(fd);  // whoever had this number is gone
  if (open_.size() >= connections_max_) ForgetClosed();
  if (open_.size() >= connections_max_) {
    ::close(fd);
    log::Warn("connection_refused",
              {{"reason", "too_many"}, {"connections_max", connections_max_}});
    return;
  }
  open_[fd] = InodeOf(fd);
  take(fd);
}

void Acceptor::ForgetClosed() {
  std::erase_if(open_, [](const auto& entry) { return InodeOf(entry.first) != entry.second; });
}

}  // namespace liveops::rpc
