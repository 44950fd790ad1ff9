#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/base/result.h"

// Where the services are and who the caller is.
namespace liveops::ctl {

enum class Server { kIngest, kEvaluation, kNotifier, kRemediation };
inline constexpr Server kServers[] = {Server::kIngest, Server::kEvaluation, Server::kNotifier,
                                      Server::kRemediation};
const char* ServerName(
    Server server);  // the service: "ingest", "rule-evaluation", "notifier", "remediation"
const char* ServerKey(
    Server server);  // the option and configuration key: "ingest", "evaluation", …

struct Settings {
  std::map<Server, std::string> addresses;  // host:port
  std::string ca;                           // PEM file paths; all three or none
  std::string cert;
  std::string key;
  std::string kafka;  // host:port,…; for the commands that read the log of the samples
  std::map<std::string, std::string> kafka_properties;  // of librdkafka, e.g. security.protocol
  std::string file;  // the configuration file in use, or where one would be looked for

  bool has_identity() const { return !cert.empty(); }
};

// An environment variable; nullopt when it is not set.
using Environment = std::function<std::optional<std::string>(const char*)>;

// Reads `explicit_file`, else $LIVEOPS_CONFIG, else ~/.config/liveops/liveopsctl.yaml (which may be
// missing; the others may not). Paths in it are relative to its folder, "~/" is the home folder.
// kInvalid or kNotFound with every problem.
Result<Settings> LoadSettings(const std::string& explicit_file, const Environment& env);

// Whether `server` can be called at all: an address, and an identity whose files can be read
// (needed beyond loopback).
Status CheckSettings(const Settings& settings, Server server);

}  // namespace liveops::ctl
