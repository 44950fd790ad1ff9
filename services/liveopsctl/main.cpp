#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "services/liveopsctl/app.h"

int main(int argc, char** argv) {
  using namespace liveops;
  using namespace liveops::ctl;
  // gRPC's own log would stand between a command's lines; what matters comes back as an error.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  std::random_device random;
  World world{.out = std::cout,
              .err = std::cerr,
              .in = std::cin,
              .in_terminal = isatty(STDIN_FILENO) == 1,
              .out_terminal = isatty(STDOUT_FILENO) == 1,
              .err_terminal = isatty(STDERR_FILENO) == 1,
              .env = [](const char* name) -> std::optional<std::string> {
                const char* value = std::getenv(name);
                return value == nullptr ? std::nullopt : std::optional<std::string>(value);
              },
              .connect = ConnectBackend,
              .open_kafka = OpenKafka,
              .interrupts = WatchSignals,
              .now = WallClockNow,
              .host = host,
              .session = (static_cast<std::uint64_t>(random()) << 32 | random()) | 1u,
              .version = LIVEOPS_VERSION};
  return Run(std::vector<std::string>(argv + 1, argv + argc), world);
}
