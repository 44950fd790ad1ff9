#include "deploy/local/stack/redis_server.h"

#include <chrono>
#include <filesystem>
#include <thread>

#include "deploy/local/stack/ports.h"

namespace liveops::stack {

Result<std::unique_ptr<RedisServer>> RedisServer::Start(const std::string& dir, int port, bool keep,
                                                        int memory_mib) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  std::unique_ptr<RedisServer> server(new RedisServer(dir, port, keep, memory_mib));
  if (Status s = server->Launch(); !s.ok()) return s.error();
  return server;
}

Status RedisServer::Launch() {
  ProcessSpec spec;
  spec.name = "redis";
  spec.argv = {"redis-server",
               "--port",
               std::to_string(port_),
               "--bind",
               "127.0.0.1",
               "--appendonly",
               "no",
               "--save",
               keep_ ? "60 1" : "",
               "--dir",
               dir_,
               "--daemonize",
               "no",
               "--maxmemory",
               std::to_string(memory_mib_) + "mb",
               "--maxmemory-policy",
               "noeviction"};
  spec.log_file = dir_ + "/redis.log";
  Result<std::unique_ptr<ChildProcess>> process = ChildProcess::Spawn(spec);
  if (!process.ok()) return process.error();
  process_ = std::move(*process);
  return {};
}

Status RedisServer::WaitReady(Duration timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  while (std::chrono::steady_clock::now() < deadline && process_->running()) {
    if (PortAnswers(port_)) return {};
    std::this_thread::sleep_for(Duration(10));
  }
  return UnavailableError("Redis does not answer:\n" + TailOf(process_->log_file(), 15));
}

void RedisServer::Stop() { process_->Stop(Duration(5'000)); }

void RedisServer::Kill() { process_->Kill(); }

Status RedisServer::Restart(Duration timeout) {
  Stop();
  if (Status s = Launch(); !s.ok()) return s;
  return WaitReady(timeout);
}

}  // namespace liveops::stack
