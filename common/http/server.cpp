#include "common/http/server.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <netdb.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

#include "common/base/host_port.h"
#include "common/base/text.h"
#include "common/http/address.h"
#include "common/telemetry/log.h"

namespace liveops::http {
namespace {

constexpr const char* kEncoding = "Content-Encoding";
// httplib would inflate by this header without a bound: it is kept under another name.
constexpr const char* kKeptEncoding = "LiveOps-Kept-Encoding";
constexpr const char* kType = "Content-Type";
constexpr const char* kKeptType = "LiveOps-Kept-Type";
constexpr const char* kConnection = "Connection";
constexpr const char* kClose = "close";  // where the next request would begin is not known
constexpr std::size_t kReadOn = 16;      // times the largest body
constexpr int kReadSeconds = 5;
constexpr Duration kStopPatience(3000);
constexpr std::size_t kRequestsAConnection = 10'000;

int PortOf(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
}

// Nothing more is read from those connections of a listener whose other port is `wanted`. httplib
// itself can neither close one nor stop waiting on those that are idle; and on one that is shut it
// writes no more.
template <typename F>
void ShutReads(int local_port, F wanted) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const int fd = std::atoi(entry.path().filename().c_str());
    sockaddr_storage local{};
    sockaddr_storage remote{};
    socklen_t size = sizeof local;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) != 0) continue;
    if (local.ss_family != AF_INET && local.ss_family != AF_INET6) continue;
    size = sizeof remote;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&remote), &size) != 0) continue;
    if (PortOf(local) == local_port && wanted(PortOf(remote))) ::shutdown(fd, SHUT_RD);
  }
}

struct FreeName {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

Caller CallerOf(const SSL* ssl) {
  Caller caller;
  if (ssl == nullptr) return caller;
  const std::unique_ptr<X509, FreeCertificate> certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK) return caller;
  caller.verified = true;
  char name[256];
  const int length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()),
                                               NID_commonName, name, sizeof name);
  if (length > 0) caller.common_name.assign(name, static_cast<std::size_t>(length));
  const std::unique_ptr<GENERAL_NAMES, FreeName> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const one = sk_GENERAL_NAME_value(names.get(), i);
    if (one->type != GEN_URI) continue;
    const ASN1_IA5STRING* const uri = one->d.uniformResourceIdentifier;
    caller.uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                             static_cast<std::size_t>(ASN1_STRING_length(uri)));
  }
  return caller;
}

bool SetUpTls(SSL_CTX& context, const ServerConfig& config) {
  SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION);
  SSL_CTX_set_options(&context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (SSL_CTX_use_certificate_chain_file(&context, config.cert.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(&context, config.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(&context) != 1 ||
      SSL_CTX_load_verify_locations(&context, config.ca.c_str(), nullptr) != 1) {
    return false;
  }
  SSL_CTX_set_client_CA_list(&context, SSL_load_client_CA_file(config.ca.c_str()));
  const int required = config.certificate_optional ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | required, nullptr);
  static constexpr unsigned char kSession[] = "liveops";  // resumed ones must be of this server
  SSL_CTX_set_session_id_context(&context, kSession, sizeof kSession);
  return true;
}

// kInvalid unless the host is this machine's own loopback.
Status CheckLoopback(const std::string& address, const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &raw) != 0)
    return InvalidError("cannot resolve \"" + address + "\"");
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found(raw, &::freeaddrinfo);
  for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
    if (ScopeOf(one->ai_addr) == AddressScope::kLoopback) continue;
    return InvalidError("\"" + address +
                        "\" is not a loopback address; without TLS and without tokens only "
                        "127.0.0.1 or [::1] may listen");
  }
  return {};
}

// One listener with its threads.
class Half {
 public:
  Half(std::unique_ptr<httplib::Server> server, const ServerConfig& config,
       const std::map<std::string, Handler>& handlers)
      : server_(std::move(server)), config_(config), handlers_(handlers) {}
  ~Half() { Stop(); }

  Status Listen(const std::string& address, const HostPort& at) {
    const auto threads = static_cast<std::size_t>(config_.threads);
    server_->new_task_queue = [threads] { return new httplib::ThreadPool(threads); };
    server_->set_tcp_nodelay(true);
    server_->set_socket_options([](int socket) {  // httplib would share a port that is taken
      const int on = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    server_->set_keep_alive_max_count(kRequestsAConnection);
    server_->set_keep_alive_timeout(
        std::chrono::duration_cast<std::chrono::seconds>(config_.idle_max).count());
    server_->set_read_timeout(kReadSeconds);
    server_->set_write_timeout(kReadSeconds);
    server_->set_payload_max_length(config_.body_bytes_max);
    Route();
    if (at.port == 0) {
      port_ = server_->bind_to_any_port(at.host);
    } else if (server_->bind_to_port(at.host, at.port)) {
      port_ = at.port;
    }
    if (port_ <= 0) {
      return UnavailableError("cannot listen on " + address + ": " + std::strerror(errno));
    }
    thread_ = std::thread([this] {
      server_->listen_after_bind();
      ended_ = true;
    });
    while (!server_->is_running() && !ended_) std::this_thread::sleep_for(Duration(1));
    return {};
  }

  int port() const { return port_; }

  void Stop() {
    if (!thread_.joinable()) return;
    stopping_ = true;
    server_->stop();
    const auto deadline = std::chrono::steady_clock::now() + kStopPatience;
    while (!ended_) {
      const bool late = std::chrono::steady_clock::now() > deadline;
      {
        const std::lock_guard lock(mutex_);
        ShutReads(port_, [&](int port) { return late || !busy_.contains(port); });
      }
      std::this_thread::sleep_for(Duration(5));
    }
    thread_.join();
  }

 private:
  static void Move(httplib::Headers& headers, const char* from, const char* to) {
    headers.erase(to);
    const auto found = headers.find(from);
    if (found == headers.end()) return;
    const std::string value = found->second;
    headers.erase(from);
    headers.emplace(to, value);
  }

  static void Refuse(httplib::Response& response, int status, const std::string& why) {
    response.status = status;
    response.set_content(why + "\n", "text/plain");
  }

  // Before httplib reads a body: it reads none by itself.
  httplib::Server::HandlerResponse Before(const httplib::Request& request,
                                          httplib::Response& response) {
    using enum httplib::Server::HandlerResponse;
    {
      const std::lock_guard lock(mutex_);
      busy_.insert(request.remote_port);
    }
    auto& headers = const_cast<httplib::Request&>(request).headers;
    Move(headers, kEncoding, kKeptEncoding);
    Move(headers, kType, kKeptType);
    for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
      if (request.method == method) return Unhandled;
    }
    const auto get = handlers_.find("GET " + request.path);
    if (request.method == "GET" && get != handlers_.end()) {
      Answer(get->second, request, "", response);
    } else {
      Decline(request, response);
    }
    const bool has_body =
        request.has_header("Transfer-Encoding") || request.get_header_value("Content-Length") > "0";
    if (has_body) response.set_header(kConnection, kClose);
    return Handled;
  }

  // What there is no handler for.
  void Decline(const httplib::Request& request, httplib::Response& response) {
    const bool post = handlers_.contains(request.path);
    const bool get = handlers_.contains("GET " + request.path);
    if (!post && !get) {
      std::vector<std::string> paths;
      for (const auto& [path, handler] : handlers_) paths.push_back(path.substr(path.find('/')));
      return Refuse(response, 404, "no such path" + Suggestion(request.path, paths));
    }
    response.set_header("Allow", post && get ? "GET, POST" : post ? "POST" : "GET");
    Refuse(response, 405,
           post && get ? "only GET and POST are served here"
           : post      ? "only POST is served here"
                       : "only GET is served here");
  }

  void Route() {
    server_->set_pre_routing_handler(
        [this](const httplib::Request& q, httplib::Response& p) { return Before(q, p); });
    server_->set_exception_handler(
        [](const httplib::Request& request, httplib::Response& response, std::exception_ptr) {
          log::Error("http_handler_failed", {{"path", request.path}});
          Refuse(response, 500, "the request could not be served");
        });
    for (const auto& [path, handler] : handlers_) {
      if (!path.starts_with('/')) continue;  // of GET: see Before
      server_->Post(
          path, [this, serve = &handler](
                    const httplib::Request& request, httplib::Response& response,
                    const httplib::ContentReader& read) { Serve(serve, request, response, read); });
    }
    const auto decline = [this](const httplib::Request& request, httplib::Response& response,
                                const httplib::ContentReader& read) {
      Serve(nullptr, request, response, read);
    };
    server_->Post(".*", decline);
    server_->Put(".*", decline);
    server_->Patch(".*", decline);
    server_->Delete(".*", decline);
    // When the answer is written.
    server_->set_logger([this](const httplib::Request& request, const httplib::Response& response) {
      const std::lock_guard lock(mutex_);
      busy_.erase(request.remote_port);
      if (response.get_header_value(kConnection) != kClose) return;
      ShutReads(port_, [&](int port) { return port == request.remote_port; });
    });
  }

  void Serve(const Handler* handler, const httplib::Request& request, httplib::Response& response,
             const httplib::ContentReader& read) {
    std::string body;
    std::size_t size = 0;
    const bool whole = read([&](const char* bytes, std::size_t more) {
      size += more;
      if (size <= config_.body_bytes_max) body.append(bytes, more);
      // Read on for a while: who sends does not listen before it has sent.
      return size <= kReadOn * config_.body_bytes_max;
    });
    if (!whole && response.status != 413) response.set_header(kConnection, kClose);
    if (size > config_.body_bytes_max || response.status == 413)
      return Refuse(response, 413,
                    "the body is larger than " + std::to_string(config_.body_bytes_max) + " bytes");
    if (!whole) return Refuse(response, 400, "the body is cut off");
    if (handler == nullptr) return Decline(request, response);
    Answer(*handler, request, body, response);
  }

  void Answer(const Handler& handler, const httplib::Request& request, std::string_view body,
              httplib::Response& response) {
    if (stopping_) {
      response.set_header("Retry-After", "1");
      return Refuse(response, 503, "stopping");
    }
    Call call;
    call.caller = CallerOf(request.ssl);
    call.header = [&](const char* name) {
      const std::string_view wanted = name;
      return request.get_header_value(wanted == kEncoding ? kKeptEncoding
                                      : wanted == kType   ? kKeptType
                                                          : name);
    };
    call.body = body;
    const Reply reply = handler(call);
    response.status = reply.status;
    for (const auto& [name, value] : reply.headers) response.set_header(name, value);
    if (!reply.body.empty()) response.set_content(reply.body, reply.content_type);
  }

  std::unique_ptr<httplib::Server> server_;
  const ServerConfig& config_;
  const std::map<std::string, Handler>& handlers_;
  int port_ = 0;
  std::mutex mutex_;
  std::set<int> busy_;  // other ports of the connections with a request under way
  std::atomic<bool> stopping_{false};
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

class RunningServer final : public Server {
 public:
  RunningServer(ServerConfig config, std::map<std::string, Handler> handlers)
      : config_(std::move(config)), handlers_(std::move(handlers)) {}
  ~RunningServer() override { Stop(); }

  Status Listen() {
    if (config_.address.empty() && config_.plain_address.empty())
      return InvalidError("no address to listen on is given");
    if (!config_.address.empty()) {
      const Result<HostPort> at = ParseHostPort(config_.address);
      if (!at) return at.error();
      auto server = std::make_unique<httplib::SSLServer>(
          [this](SSL_CTX& context) { return SetUpTls(context, config_); });
      if (!server->is_valid()) {
        return InvalidError("TLS cannot be served with " + config_.ca + ", " + config_.cert +
                            " and " + config_.key + ": is one missing, are the latter no pair?");
      }
      tls_ = std::make_unique<Half>(std::move(server), config_, handlers_);
      if (Status s = tls_->Listen(config_.address, *at); !s) return s;
    }
    if (config_.plain_address.empty()) return {};
    const Result<HostPort> at = ParseHostPort(config_.plain_address);
    if (!at) return at.error();
    if (!config_.plain_anywhere) {
      if (Status s = CheckLoopback(config_.plain_address, at->host); !s) return s;
    }
    plain_ = std::make_unique<Half>(std::make_unique<httplib::Server>(), config_, handlers_);
    return plain_->Listen(config_.plain_address, *at);
  }

  int port() const override { return tls_ ? tls_->port() : 0; }
  int plain_port() const override { return plain_ ? plain_->port() : 0; }
  void Stop() override {
    const std::lock_guard lock(mutex_);
    for (Half* half : {tls_.get(), plain_.get()}) {
      if (half != nullptr) half->Stop();
    }
  }

 private:
  const ServerConfig config_;
  const std::map<std::string, Handler> handlers_;
  std::mutex mutex_;
  std::unique_ptr<Half> tls_;
  std::unique_ptr<Half> plain_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(const ServerConfig& config,
                                              std::map<std::string, Handler> handlers) {
  auto server = std::make_unique<RunningServer>(config, std::move(handlers));
  if (Status s = server->Listen(); !s) return s.error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace liveops::http
