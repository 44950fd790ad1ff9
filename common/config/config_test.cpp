#include "common/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace liveops::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

Reader Read(std::string_view text, const std::string& folder = ".") {
  auto reader = Reader::FromText(text, "x.yaml", folder);
  EXPECT_TRUE(reader.ok()) << reader.error().message;
  return std::move(reader).value();
}

std::string Problems(Reader& reader) {
  const Status status = reader.Finish();
  if (status.ok()) return "";
  EXPECT_EQ(status.error().code, ErrorCode::kInvalid);
  return status.error().message;
}

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "config-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  void Write(const std::string& name, std::string_view content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(Config, ReadsEveryKindOfValue) {
  Reader r = Read(R"(
instance: a-1
redis: {host: localhost, port: 6380}
ratio: 0.5
on: yes
wait: 1min30s
brokers: [a:1, "b:2"]
slack:
  webhooks:
    "#oncall": http://one
    "#backend": http://two
empty:
)");
  EXPECT_EQ(r.Require("instance"), "a-1");
  EXPECT_EQ(r.String("redis.host", "x"), "localhost");
  EXPECT_EQ(r.Integer("redis.port", 1), 6380);
  EXPECT_EQ(r.Number("ratio", 1), 0.5);
  EXPECT_TRUE(r.Flag("on", false));
  EXPECT_EQ(r.Time("wait", Duration(0)), Duration(90'000));
  EXPECT_THAT(r.List("brokers"), ElementsAre("a:1", "b:2"));
  EXPECT_THAT(r.Map("slack.webhooks"),
              ElementsAre(Pair("#backend", "http://two"), Pair("#oncall", "http://one")));
  EXPECT_EQ(r.String("empty", "fallback"), "fallback");
  EXPECT_EQ(r.String("redis.password", "none"), "none");
  EXPECT_EQ(Problems(r), "");
}

TEST(Config, EmptyFileGivesFallbacks) {
  Reader r = Read("");
  EXPECT_EQ(r.Integer("redis.port", 7), 7);
  EXPECT_EQ(Problems(r), "");
}

TEST(Config, ExpandsVariablesAndFilesAnywhereInAValue) {
  TempFolder folder;
  folder.Write("key", "s3cret\n");
  setenv("CONFIG_TEST_HOST", "h1", 1);
  Reader r = Read(
      "url: http://${env:CONFIG_TEST_HOST}/${file:key}?$${x}\n"
      "list: ['${file:key}']\nmap: {a: '${env:CONFIG_TEST_HOST}'}\n",
      folder.path());
  EXPECT_EQ(r.String("url"), "http://h1/s3cret?${x}");
  EXPECT_THAT(r.List("list"), ElementsAre("s3cret"));
  EXPECT_THAT(r.Map("map"), ElementsAre(Pair("a", "h1")));
  EXPECT_EQ(Problems(r), "");
}

TEST(Config, UndefinedReferencesAreToldAtTheirPlace) {
  unsetenv("CONFIG_TEST_NONE");
  Reader r = Read(
      "a: x\n"
      "b: \"p ${env:CONFIG_TEST_NONE} ${file:none.txt}\"\n"
      "c: |\n  first\n  ${nothing:here}\n"
      "d: ${env:CONFIG\n",
      "/nowhere");
  r.String("a");
  EXPECT_EQ(r.String("b", "fallback"), "fallback");
  EXPECT_EQ(r.Require("c"), "");
  r.String("d");
  EXPECT_EQ(Problems(r),
            "x.yaml:2:7: the environment variable CONFIG_TEST_NONE is not set\n"
            "x.yaml:2:31: cannot open /nowhere/none.txt: no such file\n"
            "x.yaml:5:3: expected ${env:NAME} or ${file:path}; a literal ${ is written $${\n"
            "x.yaml:6:4: \"${\" without its \"}\"; a literal ${ is written $${");
}

TEST(Config, TellsAllProblemsAtOnceInFileOrder) {
  Reader r = Read(
      "kafka:\n"
      "  brokrs: a:1\n"
      "redis: {port: many, port2: 1}\n"
      "speed: fast\n"
      "wait: 5 parsecs\n"
      "flag: perhaps\n"
      "grpc: nothing\n"
      "list: {a: 1}\n");
  r.Require("kafka.brokers");
  EXPECT_EQ(r.Integer("redis.port", 6379), 6379);
  EXPECT_EQ(r.Number("speed", 1.5), 1.5);
  EXPECT_EQ(r.Time("wait", Duration(1)), Duration(1));
  EXPECT_TRUE(r.Flag("flag", true));
  r.String("grpc.ca");
  EXPECT_TRUE(r.List("list").empty());
  r.Problem("speed", "speed is odd");
  r.Problem("speed", "must be a number");
  EXPECT_EQ(Problems(r),
            "x.yaml:2:3: the key kafka.brokers is missing\n"
            "x.yaml:2:3: unknown key \"kafka.brokrs\"; did you mean \"brokers\"?\n"
            "x.yaml:3:15: redis.port is not a whole number\n"
            "x.yaml:3:21: unknown key \"redis.port2\"; did you mean \"port\"?\n"
            "x.yaml:4:8: speed is not a number\n"
            "x.yaml:4:8: speed is odd\n"
            "x.yaml:4:8: speed must be a number\n"
            "x.yaml:5:7: wait is not a length of time, such as 250ms, 5s or 10min\n"
            "x.yaml:6:7: flag is neither true nor false\n"
            "x.yaml:7:7: grpc is a single value, expected a mapping\n"
            "x.yaml:8:7: list is a mapping, expected a list");
}

TEST(Config, DuplicateKeysAndEmptyRequiredValues) {
  Reader r = Read("a: 1\nb: ''\na: 2\n");
  r.String("a");
  EXPECT_EQ(r.Require("b"), "");
  EXPECT_EQ(Problems(r),
            "x.yaml:2:4: b is empty, expected a value\n"
            "x.yaml:3:1: the key \"a\" is given twice, first in line 1");
}

TEST(Config, NeverEchoesAValue) {
  setenv("CONFIG_TEST_SECRET", "hunter2", 1);
  Reader r = Read(
      "port: ${env:CONFIG_TEST_SECRET}\nwait: hunter2\nflag: hunter2\nn: hunter2\n"
      "grpc: hunter2\nunknown: hunter2\nlist: hunter2\nbad: 'hunter2${x'\n");
  r.Integer("port", 1);
  r.Time("wait", Duration(0));
  r.Flag("flag", false);
  r.Number("n", 0);
  r.String("grpc.ca");
  r.List("list");
  r.Map("list");
  r.String("bad");
  const std::string problems = Problems(r);
  EXPECT_THAT(problems, Not(HasSubstr("hunter2")));
  EXPECT_THAT(problems, HasSubstr("x.yaml:1:7: port is not a whole number"));
}

TEST(Config, OpenSaysWhatIsWrong) {
  TempFolder folder;
  auto none = Reader::Open(folder.path() + "/none.yaml");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
  folder.Write("bad.yaml", "a: [1\nb: 2\n");
  auto bad = Reader::Open(folder.path() + "/bad.yaml");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(bad.error().message, HasSubstr("bad.yaml:2:"));
  auto directory = Reader::Open(folder.path());
  ASSERT_FALSE(directory.ok());
  folder.Write("good.yaml", "password: ${file:pw}\n");
  folder.Write("pw", "x\n\n");
  auto good = Reader::Open(folder.path() + "/good.yaml");
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good->Require("password"), "x\n");
}

TEST(Config, CircularAnchorsEnd) {
  auto circle = Reader::FromText("a: &x {b: *x}\n", "x.yaml", ".");
  if (!circle.ok()) return;
  circle->String("a.b.c");
  EXPECT_THAT(Problems(*circle), HasSubstr("deep"));
}

}  // namespace
}  // namespace liveops::config
