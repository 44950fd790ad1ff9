#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

// Sending over HTTP by libcurl's multi interface (https://curl.se/libcurl/c/libcurl-multi.html):
// one thread, connections kept alive. http and https only, certificates verified, redirects not
// followed, proxies of the environment ignored. A request leaves at most once: libcurl's silent
// repeat on a dead kept-alive connection is allowed only while no byte of the body has left.
namespace liveops::http {

struct Request {
  std::string method = "POST";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Duration timeout{3'000};  // steady, for the whole exchange
  // Asked on the sender's thread at the last moment before the request starts; false = it does not
  // leave (the outcome is kConflict, surely_not_sent). For permissions that lapse, e.g. a lease
  // that a paused process outlived.
  std::function<bool()> still_wanted;
};

struct Response {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // capped at 64 KiB
};

// What became of a request. `error` is meaningful when there is no response.
struct Outcome {
  bool answered = false;
  Response response;
  Error error;
  // The request cannot have reached the other side whole (refused connection, name not found,
  // address not allowed, or the connection broke before the end of the body was handed over): it
  // may be sent again without being a repeat. False when in doubt.
  bool surely_not_sent = false;
};

struct SenderConfig {
  // Hosts (as written in the URL) that may be on loopback, link-local or private addresses. All
  // other names are refused when they resolve to such an address, at connect time, so that neither
  // DNS nor a redirect gets around it. Redirects are not followed.
  std::vector<std::string> allow_private_hosts;
  std::string ca_file;  // "" = the system's
};

// Thread-safe. Callbacks run on the sender's thread and must not block.
class Sender {
 public:
  explicit Sender(SenderConfig config);
  ~Sender();  // cancels what is under way: callbacks run with surely_not_sent=false, kTimeout
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void Send(Request request, std::function<void(const Outcome&)> done);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace liveops::http
