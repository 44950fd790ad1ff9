#include "common/http/server.h"

#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>

namespace liveops::http {
namespace {

// A client that says what it likes.
class Raw {
 public:
  explicit Raw(int port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    timeval timeout{5, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  }
  ~Raw() { ::close(fd_); }
  bool Send(std::string_view text) {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  // Until the other side closes, or nothing comes for 5 s.
  std::string All() {
    std::string out;
    char bytes[4096];
    for (ssize_t n = 0; (n = ::recv(fd_, bytes, sizeof bytes, 0)) > 0;)
      out.append(bytes, static_cast<std::size_t>(n));
    return out;
  }

 private:
  int fd_ = -1;
};

std::size_t Count(const std::string& text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    ++count;
  return count;
}

class Serving : public ::testing::Test {
 protected:
  void Start(ServerConfig config) {
    config.plain_address = "127.0.0.1:0";
    config.threads = 4;
    config.body_bytes_max = 1000;
    auto server = Server::Start(config, {{"/echo",
                                          [this](const Call& call) {
                                            ++calls_;
                                            return Reply{200, "text/plain",
                                                         call.header("Content-Type") + "|" +
                                                             call.header("Content-Encoding") + "|" +
                                                             std::string(call.body)};
                                          }},
                                         {"GET /look",
                                          [](const Call&) {
                                            return Reply{200, "text/plain", "looked"};
                                          }},
                                         {"/wait", [this](const Call&) {
                                            ++calls_;
                                            release_.get_future().wait();
                                            return Reply{204, "", ""};
                                          }}});
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = *std::move(server);
  }
  void SetUp() override { Start({}); }
  httplib::Client Client() {
    httplib::Client client("127.0.0.1", server_->plain_port());
    client.set_keep_alive(true);
    return client;
  }

  std::promise<void> release_;
  std::atomic<int> calls_{0};
  std::unique_ptr<Server> server_;
};

TEST_F(Serving, HandlersSeeBodiesAsTheyCame) {
  auto client = Client();
  const auto answer =
      client.Post("/echo", {{"Content-Encoding", "gzip"}}, "not gzip", "multipart/form-data");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "multipart/form-data|gzip|not gzip");
  EXPECT_EQ(client.Post("/echo", "", "text/plain")->body, "text/plain||");
}

TEST_F(Serving, OtherPathsAndMethods) {
  auto client = Client();
  EXPECT_EQ(client.Post("/none", "body", "text/plain")->status, 404);
  EXPECT_EQ(client.Post("/ecko", "body", "text/plain")->body,
            "no such path; did you mean \"/echo\"?\n");
  EXPECT_EQ(client.Get("/none")->status, 404);
  EXPECT_EQ(client.Get("/echo")->status, 405);
  EXPECT_EQ(client.Get("/echo")->get_header_value("Allow"), "POST");
  EXPECT_EQ(client.Put("/echo", "body", "text/plain")->status, 405);
  EXPECT_EQ(calls_, 0);
}

TEST_F(Serving, AGetIsServedWhereThereIsAHandlerForIt) {
  auto client = Client();
  EXPECT_EQ(client.Get("/look")->status, 200);
  EXPECT_EQ(client.Get("/look?a=b")->body, "looked");
  EXPECT_EQ(client.Post("/look", "body", "text/plain")->status, 405);
  EXPECT_EQ(client.Post("/look", "body", "text/plain")->get_header_value("Allow"), "GET");
}

TEST_F(Serving, ABodyIsBoundedHoweverItComes) {
  EXPECT_EQ(Client().Post("/echo", std::string(1000, 'x'), "text/plain")->status, 200);
  const auto large = Client().Post("/echo", std::string(1001, 'x'), "text/plain");
  EXPECT_EQ(large->status, 413);
  EXPECT_EQ(large->body, "the body is larger than 1000 bytes\n");
  EXPECT_EQ(Client().Post("/none", std::string(1001, 'x'), "text/plain")->status, 413);
  const auto chunked = Client().Post(
      "/echo",
      [](std::size_t offset, httplib::DataSink& sink) {
        if (offset >= 5000) {
          sink.done();
        } else {
          sink.os << std::string(100, 'x');
        }
        return true;
      },
      "text/plain");
  EXPECT_TRUE(!chunked || chunked->status == 413);
  EXPECT_EQ(calls_, 1);
}

TEST_F(Serving, WhatFollowsABodyThatWasNotReadIsNoRequest) {
  Raw raw(server_->plain_port());
  std::string hidden = "POST /echo HTTP/1.1\r\nContent-Length: 0\r\n\r\n";
  raw.Send("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
           std::string(2000, 'x') + "\r\n" + hidden);
  (void)raw.All();
  Raw other(server_->plain_port());
  other.Send("PRI /echo HTTP/1.1\r\nContent-Length: 43\r\n\r\n" + hidden);
  const std::string answer = other.All();
  EXPECT_LE(Count(answer, "HTTP/1.1"), 1u) << answer;
  EXPECT_EQ(calls_, 0);
}

TEST_F(Serving, ACutOffBodyIsNoCall) {
  {
    Raw raw(server_->plain_port());
    raw.Send("POST /echo HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf");
  }
  EXPECT_EQ(Client().Post("/echo", "x", "text/plain")->status, 200);
  EXPECT_EQ(calls_, 1);
}

TEST_F(Serving, StopDoesNotWaitForIdleConnections) {
  auto client = Client();
  ASSERT_EQ(client.Post("/echo", "x", "text/plain")->status, 200);
  const auto begin = std::chrono::steady_clock::now();
  server_->Stop();
  server_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
  EXPECT_FALSE(Client().Post("/echo", "x", "text/plain"));
}

TEST_F(Serving, StopWaitsForWhatIsUnderWay) {
  auto answer =
      std::async(std::launch::async, [this] { return Client().Post("/wait", "x", "text/plain"); });
  while (calls_ == 0) std::this_thread::sleep_for(Duration(1));
  auto stopped = std::async(std::launch::async, [this] { server_->Stop(); });
  EXPECT_EQ(stopped.wait_for(Duration(100)), std::future_status::timeout);
  release_.set_value();
  stopped.get();
  const auto got = answer.get();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, 204);
}

TEST(ServerStart, PlainListensOnLoopbackOnly) {
  ServerConfig config;
  config.plain_address = "0.0.0.0:0";
  const auto refused = Server::Start(config, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  config.plain_anywhere = true;
  const auto served = Server::Start(config, {});
  ASSERT_TRUE(served.ok()) << served.error().message;
  config.plain_address = "127.0.0.1:" + std::to_string((*served)->plain_port());
  const auto taken = Server::Start(config, {});
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::kUnavailable);
  for (const char* address : {"", "nonsense", "127.0.0.1", "127.0.0.1:99999"}) {
    config.plain_address = address;
    EXPECT_FALSE(Server::Start(config, {}).ok()) << address;
  }
}

// Certificates by the openssl command, in a folder of their own.
class Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "liveops-http-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    Authority("ca");
    Authority("foreign");
    Leaf("server", "ca", "IP:127.0.0.1");
    Leaf("agent", "ca",
         "URI:liveops:role:emitter,URI:liveops:service:shop,DNS:liveops:role:viewer");
    Leaf("intruder", "foreign", "URI:liveops:role:emitter");
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string Path(const std::string& file) const { return folder_ + "/" + file; }
  void Run(const std::string& command) {
    const std::string all = "cd " + folder_ + " && " + command + " >>openssl.log 2>&1";
    ASSERT_EQ(std::system(all.c_str()), 0) << command;
  }
  void Authority(const std::string& name) {
    Run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=" +
        name + " -keyout " + name + ".key -out " + name + ".crt");
  }
  void Leaf(const std::string& name, const std::string& ca, const std::string& sans) {
    Run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name +
        " -addext 'subjectAltName=" + sans + "' -keyout " + name + ".key -out " + name + ".csr");
    Run("openssl x509 -req -in " + name + ".csr -CA " + ca + ".crt -CAkey " + ca +
        ".key -CAcreateserial -days 30 -copy_extensions copy -out " + name + ".crt");
  }
  ServerConfig Config() const {
    ServerConfig config;
    config.address = "127.0.0.1:0";
    config.ca = Path("ca.crt");
    config.cert = Path("server.crt");
    config.key = Path("server.key");
    config.threads = 2;
    return config;
  }
  void Serve(const ServerConfig& config) {
    auto server = Server::Start(config, {{"/who", [](const Call& call) {
                                            std::string text =
                                                call.caller.verified ? "yes " : "no ";
                                            text += call.caller.common_name;
                                            for (const std::string& uri : call.caller.uris)
                                              text += " " + uri;
                                            return Reply{200, "text/plain", text};
                                          }}});
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = *std::move(server);
  }
  httplib::Result Ask(const std::string& name) {
    const std::string cert = name.empty() ? "" : Path(name + ".crt");
    const std::string key = name.empty() ? "" : Path(name + ".key");
    httplib::SSLClient client("127.0.0.1", server_->port(), cert, key);
    client.set_ca_cert_path(Path("ca.crt").c_str());
    return client.Post("/who", "", "text/plain");
  }

  std::string folder_;
  std::unique_ptr<Server> server_;
};

TEST_F(Tls, CallersAreWhomTheirCertificateNames) {
  Serve(Config());
  const auto answer = Ask("agent");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "yes agent liveops:role:emitter liveops:service:shop");
  EXPECT_FALSE(Ask("intruder"));
  EXPECT_FALSE(Ask(""));
}

TEST_F(Tls, WhereOneIsOptionalNobodyIsAnybodyByAForeignOne) {
  ServerConfig config = Config();
  config.certificate_optional = true;
  Serve(config);
  ASSERT_TRUE(Ask(""));
  EXPECT_EQ(Ask("")->body, "no ");
  EXPECT_EQ(Ask("agent")->body.substr(0, 9), "yes agent");
  EXPECT_FALSE(Ask("intruder"));
}

TEST_F(Tls, BadFilesAreSaid) {
  ServerConfig config = Config();
  config.key = Path("agent.key");
  auto served = Server::Start(config, {});
  ASSERT_FALSE(served.ok());
  EXPECT_EQ(served.error().code, ErrorCode::kInvalid);
  config = Config();
  config.ca = Path("none.crt");
  EXPECT_FALSE(Server::Start(config, {}).ok());
}

}  // namespace
}  // namespace liveops::http
