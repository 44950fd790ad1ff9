#pragma once

#include <string>

#include "common/base/result.h"
#include "common/runtime/process.h"
#include "services/ingest/service/core.h"
#include "services/ingest/service/http_settings.h"
#include "services/ingest/service/log_intake.h"
#include "services/ingest/service/statsd_listener.h"

namespace liveops::ingest {

struct AppConfig {
  runtime::CommonConfig common;
  Settings settings;  // session is drawn by Run
  LogSettings logs;
  HttpSettings http;
  StatsdSettings statsd;
  Duration self_watch_every{10'000};  // steady: how often ingest writes samples of itself
};

// Keys beyond the common ones: self_watch.every, those under limits that docs/ingest.md has, those
// of ReadStatsdSettings, and those of ReadHttpSettings.
// kNotFound, or kInvalid with every problem and its line.
Result<AppConfig> ReadConfig(const std::string& path);

// Serves until a stop is asked for. kInvalid: the configuration cannot work; others: it could not
// serve.
Status Run(const AppConfig& config, runtime::StopSignal& stop);

}  // namespace liveops::ingest
