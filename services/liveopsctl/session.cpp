#include "services/liveopsctl/session.h"

#include "services/liveopsctl/render/json.h"

namespace liveops::ctl {
namespace {

void Override(std::string& value, const std::string& given) {
  if (!given.empty()) value = given;
}

}  // namespace

Session::Session(World& world, const Globals& globals) : world_(world), globals_(globals) {
  // https://no-color.org: set and not empty.
  style_.colour = world.out_terminal && !globals.json &&
                  world.env("NO_COLOR").value_or("").empty() &&
                  world.env("TERM").value_or("") != "dumb";
}

const Settings* Session::LoadedSettings() {
  if (settings_) return settings_.get();
  Result<Settings> loaded = LoadSettings(globals_.config, world_.env);
  if (!loaded.ok()) {
    Usage(loaded.error().message);
    return nullptr;
  }
  settings_ = std::make_unique<Settings>(std::move(*loaded));
  Override(settings_->addresses[Server::kIngest], globals_.ingest);
  Override(settings_->addresses[Server::kEvaluation], globals_.evaluation);
  Override(settings_->addresses[Server::kNotifier], globals_.notifier);
  Override(settings_->addresses[Server::kRemediation], globals_.remediation);
  std::erase_if(settings_->addresses, [](const auto& entry) { return entry.second.empty(); });
  Override(settings_->ca, globals_.ca);
  Override(settings_->cert, globals_.cert);
  Override(settings_->key, globals_.key);
  return settings_.get();
}

Backend& Session::backend() {
  if (!backend_) backend_ = world_.connect(*settings_, globals_.timeout);
  return *backend_;
}

Backend* Session::Open(Server server) {
  const Settings* settings = LoadedSettings();
  if (settings == nullptr) return nullptr;
  if (const Status usable = CheckSettings(*settings, server); !usable.ok()) {
    Usage(usable.error().message);
    return nullptr;
  }
  return &backend();
}

int Session::Answer(const google::protobuf::Message& message, const std::string& text) {
  if (json()) {
    world_.out << MessageJson(message) << "\n";
  } else {
    world_.out << text;
  }
  return kExitOk;
}

void Session::Warn(const std::string& message) {
  world_.err << "liveopsctl: " << Printable(message) << "\n" << std::flush;
}

int Session::Report(std::string_view code, const std::string& message, int exit_code) {
  if (json()) world_.out << ErrorJson(code, message);
  Warn(message);
  return exit_code;
}

int Session::Fail(const Error& error) {
  const bool away = error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kTimeout;
  return Report(ErrorCodeName(error.code), error.message, away ? kExitUnreachable : kExitNo);
}
int Session::Refuse(const std::string& message) { return Report("refused", message, kExitNo); }
int Session::Usage(const std::string& message) {
  // A configuration's problems come one a line; each stays a line.
  if (json()) world_.out << ErrorJson("usage", message);
  world_.err << "liveopsctl: " << PrintableLines(message) << "\n";
  return kExitUsage;
}

}  // namespace liveops::ctl
