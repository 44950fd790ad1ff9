#pragma once

#include <string>

#include "common/base/result.h"
#include "common/redis/redis.h"
#include "common/runtime/process.h"

namespace liveops::evaluation {

struct AppConfig {
  runtime::CommonConfig common;
  redis::Config redis;            // redis.host, redis.port, redis.password
  Duration replay_budget{3'000};  // snapshot.replay_budget: how long a restart may replay
};

// kInvalid: one problem a line.
Result<AppConfig> ReadConfig(const std::string& path);

// Serves until a stop is asked for. An error is why it could not start or go on.
Status Run(const AppConfig& config, runtime::StopSignal& stop);

}  // namespace liveops::evaluation
