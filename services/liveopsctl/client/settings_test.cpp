#include "services/liveopsctl/client/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;

class SettingsTest : public ::testing::Test {
 protected:
  SettingsTest() {
    home_ = std::filesystem::temp_directory_path() /
            ("liveopsctl-settings-" + std::to_string(::getpid()));
    std::filesystem::create_directories(home_ / ".config/liveops");
  }
  ~SettingsTest() override { std::filesystem::remove_all(home_); }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(home_ / name) << text;
    return (home_ / name).string();
  }
  Environment Env(std::optional<std::string> config = std::nullopt) {
    return [this, config](const char* name) -> std::optional<std::string> {
      if (std::string_view(name) == "HOME") return home_.string();
      if (std::string_view(name) == "LIVEOPS_CONFIG") return config;
      return std::nullopt;
    };
  }

  std::filesystem::path home_;
};

TEST_F(SettingsTest, ReadsAddressesAndPathsBesideTheFile) {
  Write(".config/liveops/liveopsctl.yaml",
        "ingest: 127.0.0.1:7401\nevaluation: host:7402\nca: tls/ca.pem\ncert: /etc/me.pem\nkey: "
        "~/me.key\n");
  const Result<Settings> settings = LoadSettings("", Env());
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->addresses.at(Server::kIngest), "127.0.0.1:7401");
  EXPECT_EQ(settings->addresses.at(Server::kEvaluation), "host:7402");
  EXPECT_EQ(settings->addresses.count(Server::kNotifier), 0u);
  EXPECT_EQ(settings->ca, (home_ / ".config/liveops/tls/ca.pem").string());
  EXPECT_EQ(settings->cert, "/etc/me.pem");
  EXPECT_EQ(settings->key, (home_ / "me.key").string());
}

TEST_F(SettingsTest, OptionBeatsEnvironmentBeatsHome) {
  Write(".config/liveops/liveopsctl.yaml", "ingest: home:1\n");
  const std::string env = Write("env.yaml", "ingest: env:1\n");
  const std::string option = Write("option.yaml", "ingest: option:1\n");
  EXPECT_EQ(LoadSettings("", Env())->addresses.at(Server::kIngest), "home:1");
  EXPECT_EQ(LoadSettings("", Env(env))->addresses.at(Server::kIngest), "env:1");
  EXPECT_EQ(LoadSettings(option, Env(env))->addresses.at(Server::kIngest), "option:1");
}

TEST_F(SettingsTest, OnlyTheDefaultFileMayBeMissing) {
  EXPECT_TRUE(LoadSettings("", Env()).ok());
  EXPECT_FALSE(LoadSettings("", Env("/nowhere.yaml")).ok());
  const Result<Settings> named = LoadSettings("/nowhere.yaml", Env());
  ASSERT_FALSE(named.ok());
  EXPECT_THAT(named.error().message, HasSubstr("/nowhere.yaml"));
}

TEST_F(SettingsTest, UnknownKeysAreTold) {
  const Result<Settings> settings =
      LoadSettings(Write("c.yaml", "ingset: h:1\nname: alice\n"), Env());
  ASSERT_FALSE(settings.ok());
  EXPECT_THAT(settings.error().message, HasSubstr("c.yaml:1:"));
  EXPECT_THAT(settings.error().message, HasSubstr("c.yaml:2:"));
}

std::string Complaint(const Settings& settings, Server server) {
  const Status status = CheckSettings(settings, server);
  return status.ok() ? "" : status.error().message;
}

TEST_F(SettingsTest, ChecksSayWhatIsMissingAndWhereToWriteIt) {
  Settings settings;
  settings.file = "/home/me/liveopsctl.yaml";
  EXPECT_EQ(Complaint(settings, Server::kEvaluation),
            "no address for rule-evaluation: give --evaluation HOST:PORT, or write `evaluation: "
            "HOST:PORT` in "
            "/home/me/liveopsctl.yaml");
  settings.addresses[Server::kEvaluation] = "host";
  EXPECT_THAT(Complaint(settings, Server::kEvaluation), HasSubstr("write HOST:PORT"));
  settings.addresses[Server::kEvaluation] = "127.0.0.1:7402";
  EXPECT_EQ(Complaint(settings, Server::kEvaluation), "");  // plain, on loopback alone
  settings.addresses[Server::kEvaluation] = "host:7402";
  EXPECT_THAT(Complaint(settings, Server::kEvaluation), HasSubstr("ca, cert, key not given"));
  settings.ca = settings.cert = Write("x.pem", "-----BEGIN CERTIFICATE-----\n");
  EXPECT_THAT(Complaint(settings, Server::kEvaluation), HasSubstr("key not given"));
  settings.key = "/nowhere.key";
  EXPECT_EQ(Complaint(settings, Server::kEvaluation), "key: cannot read /nowhere.key");
  settings.key = Write("x.key", "nothing");
  EXPECT_THAT(Complaint(settings, Server::kEvaluation), HasSubstr("is not a PEM file"));
  settings.key = settings.ca;
  EXPECT_EQ(Complaint(settings, Server::kEvaluation), "");
}

}  // namespace
}  // namespace liveops::ctl
