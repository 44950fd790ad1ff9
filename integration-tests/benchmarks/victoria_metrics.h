#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "deploy/local/stack/process.h"

namespace liveops::bench {

// Debian's victoria-metrics as it comes, on loopback, with nothing stored yet.
class VictoriaMetrics {
 public:
  // Its data lie in `dir`, which is emptied. kNotFound: it is not installed.
  static Result<std::unique_ptr<VictoriaMetrics>> Start(const std::string& dir);

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  stack::ChildProcess& process() { return *process_; }

 private:
  VictoriaMetrics(int port, std::unique_ptr<stack::ChildProcess> process)
      : port_(port), process_(std::move(process)) {}

  const int port_;
  const std::unique_ptr<stack::ChildProcess> process_;
};

}  // namespace liveops::bench
