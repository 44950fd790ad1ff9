#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "deploy/local/sink/ledger.h"

namespace liveops::sink {

// The sink over HTTP:
//   POST /slack/<channel>      an incoming webhook of #<channel>
//   POST /v2/enqueue           PagerDuty Events v2
//   POST /v2/change/enqueue    PagerDuty change events
//   GET  /ledger?after=N       Ledger::ToJson
//   POST /faults, DELETE /faults
//   GET  /                     what Slack and PagerDuty would show
class Server {
 public:
  // kUnavailable: the address is taken. Port 0 picks a free one. `ledger` must outlive the server.
  static Result<std::unique_ptr<Server>> Start(Ledger& ledger, const std::string& address,
                                               int port);
  ~Server();  // Stop()

  int port() const;
  void Stop();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace liveops::sink
