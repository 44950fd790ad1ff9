#pragma once

#include <gtest/gtest.h>
#include <httplib.h>
#include <snappy.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "services/ingest/service/http_front.h"
#include "services/ingest/service/http_routes.h"
#include "services/ingest/service/log_world_for_tests.h"
#include "services/ingest/service/world_for_tests.h"

// For the tests of this folder: Core behind the HTTP front on loopback; Kafka is fake.
namespace liveops::ingest {

class Http : public testing::Test {
 protected:
  void SetUp() override {
    world_.Ready();
    logs_.emplace(*world_.core);
    Serve();
  }
  void TearDown() override { front_.reset(); }

  // Again, when settings_ have changed.
  void Serve() {
    front_.reset();
    settings_.plain_address = "127.0.0.1:0";
    settings_.message_bytes_max = 1 << 20;
    settings_.threads = 4;
    spans_.emplace(*world_.core);
    auto front = HttpFront::Start(
        MakeHttpRoutes(*world_.core, *spans_, logs_->intake, settings_), settings_, {},
        [this](const std::string& name) { return world_.core->RetryAfter(name); },
        [this](int status) { world_.core->CountDeniedCall(status); });
    ASSERT_TRUE(front.ok()) << front.error().message;
    front_ = *std::move(front);
  }

  httplib::Result Post(const std::string& path, const std::string& body, const std::string& type,
                       const httplib::Headers& headers = {}) {
    httplib::Client client("127.0.0.1", front_->plain_port());
    client.set_read_timeout(5);
    return client.Post(path, headers, body, type);
  }
  double Counter(const std::string& name) { return world_.core->Counters().at(name); }

  static std::string Snappy(const std::string& message) {
    std::string block;
    snappy::Compress(message.data(), message.size(), &block);
    return block;
  }

  World world_;
  std::optional<LogWorld> logs_;
  HttpSettings settings_;
  std::optional<SpanIntake> spans_;
  std::unique_ptr<HttpFront> front_;
};

}  // namespace liveops::ingest
