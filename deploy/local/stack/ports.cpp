#include "deploy/local/stack/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <numeric>
#include <random>
#include <string>

namespace liveops::stack {
namespace {

constexpr int kLowest = 18'000;
constexpr int kBlock = 100;
constexpr int kBlocks = 140;

int BlockOf(int port) {
  const int block = (port - kLowest) / kBlock;
  return port >= kLowest && block < kBlocks ? block : -1;
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

struct Shared {
  std::mutex mutex;
  Ports ports;
};
Shared& OfThisProcess() {
  static Shared shared;
  return shared;
}

}  // namespace

Ports::~Ports() {
  for (const auto& [block, fd] : holds_) close(fd);
}

bool Ports::Hold(int block) {
  if (block < 0) return false;
  if (holds_.contains(block)) return true;
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string text = "liveops-ports-" + std::to_string(kLowest + block * kBlock);
  text.copy(name.sun_path + 1, text.size());  // a first byte of 0 makes it abstract
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  if (bind(fd, reinterpret_cast<const sockaddr*>(&name), size) != 0) {
    close(fd);
    return false;
  }
  holds_[block] = fd;
  return true;
}

bool Ports::TakeThis(int port) {
  return !given_.contains(port) && Hold(BlockOf(port)) && PortIsFree(port) &&
         given_.insert(port).second;
}

Result<std::vector<int>> Ports::Take(int count) {
  std::vector<int> order(kBlocks);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::random_device());
  // Its own first.
  std::stable_partition(order.begin(), order.end(), [&](int b) { return holds_.contains(b); });
  std::vector<int> ports;
  const auto wanted = static_cast<std::size_t>(count);
  for (const int block : order) {
    if (ports.size() == wanted) break;
    if (!Hold(block)) continue;
    const int first = kLowest + block * kBlock;
    for (int port = first; port < first + kBlock && ports.size() < wanted; ++port) {
      if (TakeThis(port)) ports.push_back(port);
    }
  }
  if (ports.size() < wanted) {
    return UnavailableError("no free loopback ports between " + std::to_string(kLowest) + " and " +
                            std::to_string(kLowest + kBlocks * kBlock - 1));
  }
  std::sort(ports.begin(), ports.end());
  return ports;
}

Result<std::vector<int>> FreePorts(int count) {
  const std::lock_guard lock(OfThisProcess().mutex);
  return OfThisProcess().ports.Take(count);
}

bool TakePort(int port) {
  const std::lock_guard lock(OfThisProcess().mutex);
  return OfThisProcess().ports.TakeThis(port);
}

bool PortIsFree(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  // As servers do: a connection in TIME_WAIT does not make a port taken.
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const sockaddr_in address = Loopback(port);
  const bool free = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                    listen(fd, 1) == 0;
  close(fd);
  return free;
}

bool PortAnswers(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const sockaddr_in address = Loopback(port);
  const bool answers =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return answers;
}

}  // namespace liveops::stack
