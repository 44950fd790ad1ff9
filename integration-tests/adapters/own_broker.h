#pragma once

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "deploy/local/stack/kafka_broker.h"
#include "deploy/local/stack/ports.h"

namespace liveops {

// A broker of a test's own, ready, in a folder that goes with it.
class OwnBroker {
 public:
  static Result<std::unique_ptr<OwnBroker>> Start(const std::string& name) {
    auto ports = stack::FreePorts(2);
    if (!ports.ok()) return ports.error();
    std::unique_ptr<OwnBroker> own(new OwnBroker);
    own->dir_ = std::filesystem::temp_directory_path() /
                ("liveops-kafka-" + name + "-" + std::to_string(getpid()));
    std::filesystem::create_directories(own->dir_);
    stack::KafkaOptions options;
    options.libs_dir = std::string(LIVEOPS_SOURCE_DIR) + "/build/third_party/kafka/libs";
    options.dir = own->dir_;
    options.port = (*ports)[0];
    options.controller_port = (*ports)[1];
    auto broker = stack::KafkaBroker::Start(options);
    if (!broker.ok()) return broker.error();
    own->broker_ = std::move(*broker);
    if (Status ready = own->broker_->WaitReady(Duration(60'000)); !ready.ok()) return ready.error();
    return own;
  }
  ~OwnBroker() {
    broker_.reset();
    std::filesystem::remove_all(dir_);
  }
  OwnBroker(const OwnBroker&) = delete;
  OwnBroker& operator=(const OwnBroker&) = delete;

  stack::KafkaBroker* operator->() { return broker_.get(); }

 private:
  OwnBroker() = default;

  std::filesystem::path dir_;
  std::unique_ptr<stack::KafkaBroker> broker_;
};

}  // namespace liveops
