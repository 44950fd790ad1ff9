#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <set>
#include <thread>

#include "deploy/local/stack/authority.h"
#include "deploy/local/stack/ports.h"
#include "deploy/local/stack/process.h"
#include "deploy/local/stack/yaml_text.h"

namespace liveops::stack {
namespace {

ProcessSpec Shell(const std::string& script) {
  ProcessSpec spec;
  spec.name = "shell";
  spec.argv = {"sh", "-c", script};
  return spec;
}

std::string FreshFolder(const std::string& name) {
  const std::string dir = testing::TempDir() + name + "-" + std::to_string(getpid());
  std::filesystem::remove_all(dir);
  return dir;
}

TEST(RunToEnd, GivesOutputAndExitCode) {
  ProcessSpec spec = Shell("echo out; echo \"$WORD\" >&2; exit 3");
  spec.env["WORD"] = "err";
  const auto outcome = RunToEnd(spec, Duration(10'000));
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->out, "out\n");
  EXPECT_EQ(outcome->err, "err\n");
  EXPECT_EQ(outcome->status.code, 3);
  EXPECT_FALSE(outcome->status.clean());
}

TEST(RunToEnd, KillsWhatTakesTooLong) {
  const auto outcome = RunToEnd(Shell("sleep 60"), Duration(50));
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::kTimeout);
}

TEST(ChildProcess, SaysWhyItCannotRun) {
  ProcessSpec spec;
  spec.name = "ghost";
  spec.argv = {"/nonexistent/program"};
  const auto missing = ChildProcess::Spawn(spec);
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find("No such file"), std::string::npos);
  spec.argv = {"no-such-program-anywhere"};
  EXPECT_FALSE(ChildProcess::Spawn(spec).ok());
}

TEST(ChildProcess, StopsInOrderOrByForce) {
  auto polite = ChildProcess::Spawn(Shell("trap 'exit 7' TERM; while :; do sleep 0.05; done"));
  ASSERT_TRUE(polite.ok());
  EXPECT_TRUE((*polite)->running());
  std::this_thread::sleep_for(Duration(200));  // until the trap is set
  EXPECT_EQ((*polite)->Stop(Duration(10'000)).code, 7);
  EXPECT_FALSE((*polite)->running());

  auto stubborn = ChildProcess::Spawn(Shell("trap '' TERM; while :; do sleep 0.05; done"));
  ASSERT_TRUE(stubborn.ok());
  std::this_thread::sleep_for(Duration(200));
  EXPECT_EQ((*stubborn)->Stop(Duration(100)).signal, SIGKILL);
}

TEST(ChildProcess, OutlivesTheThreadThatAskedForIt) {
  std::unique_ptr<ChildProcess> child;
  std::thread([&] { child = std::move(*ChildProcess::Spawn(Shell("sleep 60"))); }).join();
  EXPECT_FALSE(child->Wait(Duration(200)));
  const pid_t pid = child->pid();
  child.reset();
  EXPECT_NE(kill(pid, 0), 0);
}

TEST(FreePorts, AreDifferentAndFree) {
  const auto ports = FreePorts(5);
  ASSERT_TRUE(ports.ok());
  ASSERT_EQ(ports->size(), 5u);
  for (std::size_t i = 1; i < ports->size(); ++i) EXPECT_LT((*ports)[i - 1], (*ports)[i]);
  EXPECT_TRUE(PortIsFree(ports->front()));
  EXPECT_FALSE(PortAnswers(ports->front()));
}

TEST(Ports, AreNobodyElsesWhileTheirOwnerLives) {
  std::optional<Ports> mine(std::in_place);
  Ports other;
  const auto first = mine->Take(150);  // more than a block
  ASSERT_TRUE(first.ok()) << first.error().message;
  const std::set<int> different(first->begin(), first->end());
  EXPECT_EQ(different.size(), 150u);
  EXPECT_FALSE(mine->TakeThis(first->front())) << "it was given already";
  EXPECT_FALSE(other.TakeThis(first->front()));
  EXPECT_FALSE(other.TakeThis(80)) << "outside of the range";
  mine.reset();
  EXPECT_TRUE(other.TakeThis(first->front()));
}

TEST(TailOf, GivesTheLastLines) {
  const std::string file = FreshFolder("tail");
  ASSERT_TRUE(WriteFile(file, "a\nb\nc\n").ok());
  EXPECT_EQ(TailOf(file, 2), "b\nc\n");
  EXPECT_EQ(TailOf(file, 9), "a\nb\nc\n");
  EXPECT_EQ(TailOf(file + "x", 9), "");
  std::filesystem::remove(file);
}

TEST(ToYaml, NestsDottedKeys) {
  EXPECT_EQ(ToYaml({{"a", "1"}, {"b.c.d", "x"}, {"b.c.e", "y"}, {"b.f", "z"}, {"g.h", "[1]"}}),
            "a: 1\nb:\n  c:\n    d: x\n    e: y\n  f: z\ng:\n  h: [1]\n");
  EXPECT_EQ(Quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
}

TEST(Authority, IssuesCertificatesThatItsOwnRootVerifies) {
  const std::string dir = FreshFolder("tls");
  auto authority = Authority::Open(dir);
  ASSERT_TRUE(authority.ok()) << authority.error().message;
  const auto identity = authority->Issue("operator-1", {"viewer", "operator"});
  ASSERT_TRUE(identity.ok()) << identity.error().message;
  ProcessSpec verify;
  verify.name = "verify";
  verify.argv = {"openssl", "verify", "-CAfile", authority->ca_file(), identity->cert};
  EXPECT_TRUE(RunToEnd(verify, Duration(10'000))->status.clean());
  ProcessSpec show;
  show.name = "show";
  show.argv = {"openssl", "x509",     "-in",  identity->cert,
               "-noout",  "-subject", "-ext", "subjectAltName"};
  const std::string text = RunToEnd(show, Duration(10'000))->out;
  EXPECT_NE(text.find("CN = operator-1"), std::string::npos) << text;
  EXPECT_NE(text.find("URI:liveops:role:operator"), std::string::npos) << text;
  EXPECT_NE(text.find("IP Address:127.0.0.1"), std::string::npos) << text;
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace liveops::stack
