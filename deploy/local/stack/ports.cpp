#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <set>

#include "deploy/local/stack/process.h"

namespace liveops::stack {
namespace {

// Linux hands out 32768.. to outgoing connections (net.ipv4.ip_local_port_range): a port from there
// could be taken between its choice and its use.
constexpr int kLowest = 18'000;
constexpr int kHighest = 32'000;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

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

Result<std::vector<int>> FreePorts(int count) {
  std::random_device random;
  std::uniform_int_distribution<int> draw(kLowest, kHighest);
  std::set<int> ports;
  for (int tries = 0; tries < 100 * count && static_cast<int>(ports.size()) < count; ++tries) {
    const int port = draw(random);
    if (PortIsFree(port)) ports.insert(port);
  }
  if (static_cast<int>(ports.size()) < count) {
    return UnavailableError("no free loopback ports between " + std::to_string(kLowest) + " and " +
                            std::to_string(kHighest));
  }
  return std::vector<int>(ports.begin(), ports.end());
}

}  // namespace liveops::stack
