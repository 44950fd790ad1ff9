#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "deploy/local/stack/ports.h"
#include "deploy/local/stack/stack.h"

namespace liveops {

// A whole LiveOps, and what it told of the alarms of a service.
class RemoteWriteGround : public ::testing::Test {
 protected:
  void SetUp() override {
    stack::StackOptions options;
    options.data_dir = std::filesystem::temp_directory_path() /
                       ("liveops-remote-write-" + std::to_string(getpid()));
    options.slack_messages_per_second = 0;
    auto made = stack::Stack::Start(options);
    ASSERT_TRUE(made.ok()) << made.error().message;
    stack_ = std::move(*made);
  }
  void TearDown() override {
    prometheus_.reset();
    if (!stack_) return;
    const std::string dir = stack_->options().data_dir;
    stack_.reset();
    if (HasFailure()) {
      std::cout << "The logs and the ledger are kept in " << dir << "\n";
      return;
    }
    std::filesystem::remove_all(dir);
    std::filesystem::remove(dir + ".lock");
  }

  // Of the service "shop".
  void Apply(const std::string& plan) {
    const std::string file = stack_->Path("shop.yaml");
    ASSERT_TRUE(stack::WriteFile(file, plan).ok());
    auto applied = stack_->Ctl("operator-1", {"plan", "apply", file});
    ASSERT_TRUE(applied.ok() && applied->status.clean())
        << (applied.ok() ? applied->err : applied.error().message);
  }
  std::string http_address() { return stack_->service(stack::Service::kIngest).http_address(); }

  // Debian's Prometheus with this prometheus.yml and these flags beyond the usual.
  void RunPrometheus(const std::string& config, const std::vector<std::string>& flags = {}) {
    const auto ports = stack::FreePorts(1);
    ASSERT_TRUE(ports.ok());
    const std::string file = stack_->Path("prometheus.yml");
    ASSERT_TRUE(stack::WriteFile(file, config).ok());
    stack::ProcessSpec spec;
    spec.name = "prometheus";
    spec.argv = {"prometheus", "--config.file=" + file,
                 "--storage.tsdb.path=" + stack_->Path("prometheus"),
                 fmt::format("--web.listen-address=127.0.0.1:{}", (*ports)[0])};
    spec.argv.insert(spec.argv.end(), flags.begin(), flags.end());
    spec.log_file = stack_->Path("prometheus.log");
    auto spawned = stack::ChildProcess::Spawn(spec);
    ASSERT_TRUE(spawned.ok()) << spawned.error().message;
    prometheus_ = std::move(*spawned);
  }

  // Which of these alarms a Slack message called firing, or resolved.
  std::set<std::string> Told(bool resolved, const std::set<std::string>& alarms) {
    std::set<std::string> told;
    auto ledger = stack_->sink().Ledger();
    if (!ledger.ok()) return told;
    for (const stack::LedgerEntry& entry : *ledger) {
      for (const std::string& alarm : alarms) {
        const bool of_it = entry.title.find(fmt::format(": shop {}", alarm)) != std::string::npos;
        const bool over = entry.title.find("RESOLVED") != std::string::npos;
        if (of_it && over == resolved) told.insert(alarm);
      }
    }
    return told;
  }
  bool Await(bool resolved, const std::set<std::string>& alarms) {
    for (int i = 0; i < 900 && Told(resolved, alarms) != alarms; ++i)
      std::this_thread::sleep_for(Duration(100));
    return Told(resolved, alarms) == alarms;
  }

  std::unique_ptr<stack::Stack> stack_;
  std::unique_ptr<stack::ChildProcess> prometheus_;
};

}  // namespace liveops
