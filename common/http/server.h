#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

// Serving HTTP/1.1 by cpp-httplib (https://github.com/yhirose/cpp-httplib): POST and GET, a thread
// a connection out of a pool that does not grow, bodies bounded and left as they came.
namespace liveops::http {

struct ServerConfig {
  // TLS listener, "host:port"; "" = none. The files are PEM; `ca` is whose certificates callers
  // show.
  std::string address;
  std::string ca;
  std::string cert;
  std::string key;
  bool certificate_optional = false;  // for callers that prove by something else who they are
  // Listener without TLS; "" = none. A loopback address, unless plain_anywhere.
  std::string plain_address;
  bool plain_anywhere = false;
  int threads = 32;                       // of each listener; further connections wait
  std::size_t body_bytes_max = 4u << 20;  // as it comes; a larger one is answered 413
  Duration idle_max{15'000};              // of a connection between two requests
};

// Who calls: the names in the certificate that the caller showed, if it did.
struct Caller {
  bool verified = false;
  std::string common_name;
  std::vector<std::string> uris;
};

struct Call {
  Caller caller;
  std::function<std::string(const char*)> header;  // by name; "" = none
  std::string_view body;                           // encoded as "Content-Encoding" says
};

struct Reply {
  int status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers{};
};

// Runs on the connection's thread, which it may block.
using Handler = std::function<Reply(const Call&)>;

// Thread-safe.
class Server {
 public:
  // `handlers` by path for POST, by "GET " and the path for GET, whose bodies are not read.
  // kInvalid: an address or file that cannot work, a plain address that is not loopback.
  // kUnavailable: the port is taken.
  static Result<std::unique_ptr<Server>> Start(const ServerConfig& config,
                                               std::map<std::string, Handler> handlers);
  virtual ~Server() = default;  // Stop()

  virtual int port() const = 0;  // of the TLS listener; 0 when there is none
  virtual int plain_port() const = 0;
  // Takes no more requests and returns when those under way are answered. Idempotent.
  virtual void Stop() = 0;
};

}  // namespace liveops::http
