#pragma once

#include <string>

#include "common/base/result.h"
#include "common/runtime/process.h"
#include "services/notifier/service/settings.h"

namespace liveops::notifier {

struct AppConfig {
  runtime::CommonConfig common;
  Settings settings;
};

// kInvalid: one problem a line.
Result<AppConfig> ReadConfig(const std::string& path);

// Serves until a stop is asked for. An error is why it could not start.
Status Run(const AppConfig& config, runtime::StopSignal& stop);

}  // namespace liveops::notifier
