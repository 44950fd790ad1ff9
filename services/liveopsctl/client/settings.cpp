#include "services/liveopsctl/client/settings.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/config/config.h"

namespace liveops::ctl {
namespace {

std::string Resolve(const std::string& path, const std::filesystem::path& folder,
                    const std::string& home) {
  if (path.empty()) return "";
  if (path.starts_with("~/") && !home.empty()) return home + path.substr(1);
  return std::filesystem::path(path).is_absolute() ? path : (folder / path).string();
}

bool IsLoopback(const std::string& address) {
  return address.starts_with("127.") || address.starts_with("localhost:") ||
         address.starts_with("[::1]:");
}

}  // namespace

const char* ServerName(Server server) {
  switch (server) {
    case Server::kIngest:
      return "ingest";
    case Server::kEvaluation:
      return "rule-evaluation";
    case Server::kNotifier:
      return "notifier";
    case Server::kRemediation:
      return "remediation";
  }
  return "";
}

const char* ServerKey(Server server) {
  return server == Server::kEvaluation ? "evaluation" : ServerName(server);
}

Result<Settings> LoadSettings(const std::string& explicit_file, const Environment& env) {
  Settings settings;
  const std::string home = env("HOME").value_or("");
  settings.file = !explicit_file.empty() ? explicit_file : env("LIVEOPS_CONFIG").value_or("");
  const bool named = !settings.file.empty();
  if (!named) {
    if (home.empty()) return settings;
    settings.file = home + "/.config/liveops/liveopsctl.yaml";
    std::error_code ignored;
    if (!std::filesystem::exists(settings.file, ignored)) return settings;
  }
  Result<config::Reader> reader = config::Reader::Open(settings.file);
  if (!reader.ok()) return reader.error();
  for (const Server server : kServers) {
    const std::string address = reader->String(ServerKey(server));
    if (!address.empty()) settings.addresses[server] = address;
  }
  const std::filesystem::path folder = std::filesystem::path(settings.file).parent_path();
  settings.ca = Resolve(reader->String("ca"), folder, home);
  settings.cert = Resolve(reader->String("cert"), folder, home);
  settings.key = Resolve(reader->String("key"), folder, home);
  settings.kafka = reader->String("kafka");
  settings.kafka_properties = reader->Map("kafka_properties");
  if (const Status done = reader->Finish(); !done.ok()) return done.error();
  return settings;
}

Status CheckSettings(const Settings& settings, Server server) {
  const auto address = settings.addresses.find(server);
  if (address == settings.addresses.end()) {
    return InvalidError(
        fmt::format("no address for {0}: give --{1} HOST:PORT, or write `{1}: HOST:PORT` in {2}",
                    ServerName(server), ServerKey(server),
                    settings.file.empty() ? "a file named by --config" : settings.file));
  }
  const std::size_t colon = address->second.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address->second.size() ||
      address->second.find_first_not_of("0123456789", colon + 1) != std::string::npos) {
    return InvalidError(fmt::format("\"{}\" is not an address of {}: write HOST:PORT",
                                    address->second, ServerName(server)));
  }
  const std::pair<const char*, const std::string*> files[] = {
      {"ca", &settings.ca}, {"cert", &settings.cert}, {"key", &settings.key}};
  std::string missing;
  for (const auto& [name, path] : files) {
    if (path->empty()) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", name);
  }
  const bool none = settings.ca.empty() && settings.cert.empty() && settings.key.empty();
  if (none && IsLoopback(address->second)) return {};
  if (!missing.empty()) {
    return InvalidError(
        fmt::format("no identity to call {} with: {} not given (options --ca, --cert, --key, or "
                    "the same keys in {})",
                    ServerName(server), missing,
                    settings.file.empty() ? "a file named by --config" : settings.file));
  }
  for (const auto& [name, path] : files) {
    std::ifstream file(*path);
    const std::string text((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
    if (!file) return InvalidError(fmt::format("{}: cannot read {}", name, *path));
    if (text.find("-----BEGIN ") == std::string::npos) {
      return InvalidError(fmt::format("{}: {} is not a PEM file", name, *path));
    }
  }
  return {};
}

}  // namespace liveops::ctl
