#pragma once

#include <map>
#include <set>
#include <vector>

#include "common/base/result.h"

// TCP ports of 127.0.0.1 for installations that run beside one another on a host.
namespace liveops::stack {

// Hands out ports that no other user of this class has, in this process or in another: a port is
// chosen seconds before its server listens, and a server that is killed and started anew has none
// in between. Ports lie below the kernel's range for outgoing connections (32768 to 60999,
// net.ipv4.ip_local_port_range), in blocks of 100; who takes from a block holds the abstract UNIX
// socket (unix(7)) of that block's name, which is gone with the process. Not thread-safe.
class Ports {
 public:
  Ports() = default;
  ~Ports();
  Ports(const Ports&) = delete;
  Ports& operator=(const Ports&) = delete;

  // `count` different ports that nobody listens on, ascending; each is given once.
  // kUnavailable: there are not as many.
  Result<std::vector<int>> Take(int count);
  // That very port, of an earlier run, when nobody else has it and nobody listens on it.
  bool TakeThis(int port);

 private:
  bool Hold(int block);

  std::map<int, int> holds_;  // of the blocks that are ours: the socket
  std::set<int> given_;
};

// Of this process' one Ports, which holds what it gave until the process ends. Thread-safe.
Result<std::vector<int>> FreePorts(int count);
bool TakePort(int port);

// True when nobody listens on it.
bool PortIsFree(int port);
// True when a connection to 127.0.0.1:port succeeds.
bool PortAnswers(int port);

}  // namespace liveops::stack
