#include "deploy/local/sink/server.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>
#include <thread>

#include "deploy/local/sink/page.h"

namespace liveops::sink {
namespace {

// A kept-alive connection holds a thread: the notifier's, and a browser's six.
constexpr std::size_t kThreads = 24;
constexpr int kDescriptorsMax = 1024;

std::int64_t SteadyNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::int64_t WallUs() {
  using std::chrono::microseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<microseconds>(now).count();
}

// httplib cannot close a connection without an answer, so the connection is found by its other end
// and shut down.
void ShutConnectionOf(const httplib::Request& request) {
  for (int fd = 3; fd < kDescriptorsMax; ++fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    if (peer.sin_family == AF_INET && ntohs(peer.sin_port) == request.remote_port) {
      shutdown(fd, SHUT_RDWR);
    }
  }
}

void Reply(const Answer& answer, const httplib::Request& request, httplib::Response& response) {
  if (answer.delay.count() > 0) std::this_thread::sleep_for(answer.delay);
  if (answer.drop) {
    ShutConnectionOf(request);
    return;
  }
  response.status = answer.status;
  if (answer.retry_after >= 0) {
    response.set_header("Retry-After", std::to_string(answer.retry_after));
  }
  response.set_content(answer.body, answer.content_type);
}

// Called when the whole body was read.
Received Stamp(const httplib::Request& request, const char* provider) {
  Received received;
  received.received_steady_ns = SteadyNs();
  received.received_us = WallUs();
  received.provider = provider;
  received.content_type = request.get_header_value("Content-Type");
  received.body = request.body;
  return received;
}

}  // namespace

struct Server::Impl {
  explicit Impl(Ledger& l) : ledger(l) {}
  void AddRoutes();

  Ledger& ledger;
  httplib::Server http;
  int port = 0;
  std::thread thread;
};

void Server::Impl::AddRoutes() {
  http.Post(R"(/slack/([A-Za-z0-9_.-]+))",
            [this](const httplib::Request& request, httplib::Response& response) {
              Received received = Stamp(request, "slack");
              received.channel = "#" + request.matches[1].str();
              Reply(ledger.Take(received), request, response);
            });
  http.Post("/v2/enqueue", [this](const httplib::Request& request, httplib::Response& response) {
    Reply(ledger.Take(Stamp(request, "pagerduty")), request, response);
  });
  http.Post("/v2/change/enqueue",
            [this](const httplib::Request& request, httplib::Response& response) {
              Received received = Stamp(request, "pagerduty");
              received.change = true;
              Reply(ledger.Take(received), request, response);
            });
  http.Get("/ledger", [this](const httplib::Request& request, httplib::Response& response) {
    const std::string after = request.get_param_value("after");
    response.set_content(ledger.ToJson(std::strtoll(after.c_str(), nullptr, 10)),
                         "application/json");
  });
  http.Post("/faults", [this](const httplib::Request& request, httplib::Response& response) {
    const auto body = nlohmann::json::parse(request.body, nullptr, /*allow_exceptions=*/false);
    const Status added = ledger.AddFault(body);
    response.status = added.ok() ? 200 : 400;
    response.set_content(added.ok() ? "ok\n" : added.error().message + "\n", "text/plain");
  });
  http.Delete("/faults", [this](const httplib::Request&, httplib::Response& response) {
    ledger.ClearFaults();
    response.set_content("ok\n", "text/plain");
  });
  http.Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(kPage, "text/html; charset=utf-8");
  });
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Server>> Server::Start(Ledger& ledger, const std::string& address,
                                              int port) {
  auto impl = std::make_unique<Impl>(ledger);
  httplib::Server& http = impl->http;
  http.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  http.set_tcp_nodelay(true);
  http.set_keep_alive_max_count(1'000'000);
  http.set_keep_alive_timeout(60);
  http.set_payload_max_length(4 << 20);
  impl->AddRoutes();
  if (port == 0) {
    impl->port = http.bind_to_any_port(address);
  } else if (http.bind_to_port(address, port)) {
    impl->port = port;
  }
  if (impl->port <= 0) {
    return UnavailableError("cannot listen on " + address + ":" + std::to_string(port) + ": " +
                            std::strerror(errno));
  }
  impl->thread = std::thread([raw = impl.get()] { raw->http.listen_after_bind(); });
  while (!http.is_running()) std::this_thread::sleep_for(Duration(1));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::~Server() { Stop(); }

int Server::port() const { return impl_->port; }

void Server::Stop() {
  impl_->http.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace liveops::sink
