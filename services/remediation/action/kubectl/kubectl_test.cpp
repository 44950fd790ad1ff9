#include "services/remediation/action/kubectl/kubectl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "services/remediation/action/kubectl/command.h"
#include "services/remediation/action/kubectl/exec.h"
#include "services/remediation/action/kubectl/rollout.h"
#include "services/remediation/policy/identity.h"
#include "services/remediation/policy/ledger.h"

#ifndef KUBECTL_STANDIN
#error "the build says where the stand-in is"
#endif

namespace liveops::remediation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Command, AllowListAcceptsRolloutUndo) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"rollout", "undo", "deployment/backend-api"},
           {"rollout", "undo", "deploy", "backend-api"},
           {"rollout", "undo", "deployment/backend-api", "-n", "default"},
           {"rollout", "undo", "deployments/backend-api", "--namespace=default"}}) {
    const Result<RolloutUndo> undo = ParseRolloutUndo(arguments, "default");
    ASSERT_TRUE(undo.ok()) << undo.error().message;
    EXPECT_EQ(undo->target(), "deployment/backend-api");
    EXPECT_EQ(undo->ns, "default");
  }
  EXPECT_EQ(ParseRolloutUndo({"rollout", "undo", "deployment/x", "-n", "prod"}, "default")->ns,
            "prod");
}

TEST(Command, RefusesEverythingElse) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {},
           {"rollout"},
           {"delete", "deployment/x"},
           {"rollout", "restart", "deployment/x"},
           {"rollout", "undo"},
           {"rollout", "undo", "deployment"},
           {"rollout", "undo", "deployment/"},
           {"rollout", "undo", "daemonset/x"},
           {"rollout", "undo", "deployment/$(id)"},
           {"rollout", "undo", "deployment/x\nrm"},
           {"rollout", "undo", std::string("deployment/x\0y", 14)},
           {"rollout", "undo", "deployment/--server=evil"},
           {"rollout", "undo", "deployment", "--kubeconfig=/tmp/x"},
           {"rollout", "undo", "deployment/X"},
           {"rollout", "undo", "deployment/x", "--kubeconfig=/tmp/x"},
           {"rollout", "undo", "deployment/x", "--server=https://evil"},
           {"rollout", "undo", "deployment/x", "--to-revision=1"},
           {"rollout", "undo", "deployment/x", "-n"},
           {"rollout", "undo", "deployment/x", "-n", "a b"},
           {"rollout", "undo", "deployment/x", "-n", "--all"},
           {"rollout", "undo", "deployment/x", "-n", "default", "deployment/y"}}) {
    const Result<RolloutUndo> undo = ParseRolloutUndo(arguments, "default");
    ASSERT_FALSE(undo.ok()) << ::testing::PrintToString(arguments);
    EXPECT_EQ(undo.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(undo.error().message.find('\n'), std::string::npos);
  }
}

TEST(Command, ArgvIsReadBackOnlyInItsOwnForm) {
  const std::vector<std::string> argv = UndoArgv({"prod", "shop"}, 42);
  EXPECT_THAT(argv, ElementsAre("kubectl", "rollout", "undo", "deployment/shop", "--to-revision=42",
                                "-n", "prod"));
  const Result<ResolvedUndo> resolved = ParseUndoArgv(argv);
  ASSERT_TRUE(resolved.ok());
  EXPECT_EQ(resolved->revision, 42);
  EXPECT_EQ(resolved->undo.name, "shop");
  for (const auto& [at, text] :
       std::vector<std::pair<std::size_t, std::string>>{{0, "/bin/sh"},
                                                        {2, "restart"},
                                                        {3, "deploy/shop"},
                                                        {3, "deployment/$(id)"},
                                                        {4, "--to-revision=042"},
                                                        {4, "--to-revision=0"},
                                                        {4, "--kubeconfig=x"},
                                                        {4, "--to-revision=1 x"},
                                                        {5, "--server"},
                                                        {6, "prod\n"}}) {
    std::vector<std::string> bad = argv;
    bad[at] = text;
    EXPECT_FALSE(ParseUndoArgv(bad).ok()) << text;
  }
  std::vector<std::string> longer = argv;
  longer.push_back("--server=x");
  EXPECT_FALSE(ParseUndoArgv(longer).ok());
}

Rollout History(std::vector<Revision> others, Revision current) {
  Rollout rollout;
  rollout.current = current;
  rollout.others = std::move(others);
  return rollout;
}

TEST(ChooseTarget, TheOneThatRanBefore) {
  EXPECT_EQ(ChooseTarget(History({{1, 1, "a", ""}, {2, 2, "b", ""}}, {3, 3, "c", ""}), {})->number,
            2);
}

// kubernetes/website#6921: `rollout undo` twice returns to the bad version.
TEST(ChooseTarget, NotTheOneThatWasJustLeft) {
  // 1 good, 2 bad, undone: 1 became 3. Plain `undo` would now go to 2.
  const Rollout undone = History({{2, 2, "bad", ""}}, {3, 1, "good", ""});
  EXPECT_EQ(ChooseTarget(undone, {}).error().code, ErrorCode::kConflict);
  // A new version on top of it goes back to the good one, never to 2.
  const Rollout next = History({{2, 2, "bad", ""}, {3, 1, "good", ""}}, {4, 4, "new", ""});
  EXPECT_EQ(ChooseTarget(next, {})->number, 3);
  // Somebody undid the undo: back to the good one.
  EXPECT_EQ(ChooseTarget(History({{3, 1, "good", ""}}, {4, 2, "bad", ""}), {})->number, 3);
}

TEST(ChooseTarget, NeverWhatWasRolledBackLately) {
  const Rollout rollout = History({{1, 1, "a", ""}, {2, 2, "b", ""}}, {3, 3, "c", ""});
  EXPECT_EQ(ChooseTarget(rollout, {"b"})->number, 1);
  const Result<Revision> none = ChooseTarget(rollout, {"a", "b"});
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(none.error().message, HasSubstr("revision 2 was itself rolled back lately"));
}

TEST(ReadDeployment, RefusesOtherJson) {
  for (const char* text : {"", "{", "[]", "null", "{\"kind\":\"Deployment\"}",
                           "{\"kind\":\"Pod\",\"spec\":{\"template\":{}}}"}) {
    EXPECT_FALSE(ReadDeployment(text).ok()) << text;
  }
  EXPECT_FALSE(ReadRollout({}, "{\"items\":3}").ok());
  EXPECT_EQ(ReadRollout({}, "{\"items\":[]}").error().code, ErrorCode::kUnavailable);
}

TEST(ReadDeployment, TemplateIdentityIgnoresNullsAndTheHashLabel) {
  const char* plain = R"({"kind":"Deployment","metadata":{"uid":"u"},"spec":{"template":
      {"metadata":{"labels":{"app":"x"},"creationTimestamp":null},"spec":{"containers":[]}}}})";
  const char* hashed = R"({"kind":"Deployment","metadata":{"uid":"u"},"spec":{"template":
      {"spec":{"containers":[]},"metadata":{"labels":{"pod-template-hash":"h","app":"x"}}}}})";
  const char* other = R"({"kind":"Deployment","metadata":{"uid":"u"},"spec":{"template":
      {"spec":{"containers":[]},"metadata":{"labels":{"app":"y"}}}}})";
  EXPECT_EQ(ReadDeployment(plain)->template_hash, ReadDeployment(hashed)->template_hash);
  EXPECT_NE(ReadDeployment(plain)->template_hash, ReadDeployment(other)->template_hash);
}

// Against the stand-in, as a program.
class KubectlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/kubectl-test-XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    folder_ = folder;
    std::ofstream(folder_ + "/kubeconfig") << "standin-state: cluster.json\n";
    tool_ = NewKubectl({KUBECTL_STANDIN, folder_ + "/kubeconfig", "default", Duration(10'000)},
                       nullptr);
    Do({"create", "deployment", "shop", "--image=r/shop:1"});
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Do(std::vector<std::string> args) {
    ExecRequest request;
    request.path = KUBECTL_STANDIN;
    request.argv = std::move(args);
    request.argv.insert(request.argv.begin(), "kubectl");
    request.environment = {"KUBECONFIG=" + folder_ + "/kubeconfig"};
    const Result<ExecResult> result = Exec(request);
    ASSERT_TRUE(result.ok()) << result.error().message;
    ASSERT_EQ(result->exit_code, 0) << result->errors;
  }
  void Deploy(const std::string& image) {
    Do({"set", "image", "deployment/shop", "shop=" + image});
  }

  const std::vector<std::string> arguments_ = {"rollout", "undo", "deployment/shop"};
  std::string folder_;
  std::unique_ptr<Tool> tool_;
};

TEST_F(KubectlTest, ResolvesChecksRunsAndReadsBack) {
  Deploy("r/shop:2");
  const Result<Action> action = tool_->Resolve(arguments_, {});
  ASSERT_TRUE(action.ok()) << action.error().message;
  EXPECT_THAT(action->argv, ElementsAre("kubectl", "rollout", "undo", "deployment/shop",
                                        "--to-revision=1", "-n", "default"));
  EXPECT_EQ(action->preconditions.at("revision"), "2");
  EXPECT_THAT(action->description, HasSubstr("from revision 2 (r/shop:2) to 1 (r/shop:1)"));
  EXPECT_EQ(ActionDigest(*action), ActionDigest(*tool_->Resolve(arguments_, {})));
  ASSERT_TRUE(tool_->Check(*action).ok());
  EXPECT_FALSE(tool_->ReadBack(*action)->in_force);
  const Result<Tool::Ran> ran = tool_->Run(*action);
  ASSERT_TRUE(ran.ok()) << ran.error().message;
  EXPECT_EQ(ran->exit_code, 0);
  EXPECT_EQ(ran->output, "deployment.apps/shop rolled back");
  const Result<Tool::Observation> seen = tool_->ReadBack(*action);
  ASSERT_TRUE(seen.ok());
  EXPECT_TRUE(seen->in_force);
  EXPECT_THAT(seen->observed, HasSubstr("revision 3, template "));
  EXPECT_TRUE(EffectSeen(*action, Effect{0, "", false, seen->observed, ""}));
  // It was done: doing it again is refused before anything runs.
  EXPECT_EQ(tool_->Check(*action).error().code, ErrorCode::kConflict);
}

TEST_F(KubectlTest, ARolloutSinceTheApprovalIsRefused) {
  Deploy("r/shop:2");
  const Result<Action> action = tool_->Resolve(arguments_, {});
  ASSERT_TRUE(action.ok());
  Deploy("r/shop:3");
  const Status check = tool_->Check(*action);
  ASSERT_FALSE(check.ok());
  EXPECT_THAT(check.error().message, HasSubstr("revision 3 is in force now"));
}

TEST_F(KubectlTest, NothingToGoBackTo) {
  EXPECT_EQ(tool_->Resolve(arguments_, {}).error().code, ErrorCode::kConflict);
  Deploy("r/shop:2");
  const Result<Action> action = tool_->Resolve(arguments_, {});
  ASSERT_TRUE(action.ok());
  EXPECT_EQ(tool_->Resolve(arguments_, {action->effect.at("template")}).error().code,
            ErrorCode::kConflict);
  ASSERT_TRUE(tool_->Run(*action).ok());
  EXPECT_EQ(tool_->Resolve(arguments_, {}).error().code, ErrorCode::kConflict);
}

TEST_F(KubectlTest, UnknownDeploymentAndMissingTool) {
  EXPECT_EQ(tool_->Resolve({"rollout", "undo", "deployment/none"}, {}).error().code,
            ErrorCode::kNotFound);
  const auto missing = NewKubectl({"/nonexistent/kubectl", "", "default", Duration(1000)}, nullptr);
  EXPECT_EQ(missing->Resolve(arguments_, {}).error().code, ErrorCode::kUnavailable);
}

// openclaw#124738: a script was swapped after its approval.
TEST_F(KubectlTest, AnActionThatWasTamperedWithIsNotRun) {
  Deploy("r/shop:2");
  Result<Action> action = tool_->Resolve(arguments_, {});
  ASSERT_TRUE(action.ok());
  action->argv.push_back("--server=https://evil");
  EXPECT_EQ(tool_->Run(*action).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(tool_->Check(*action).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(tool_->ReadBack(*action).error().code, ErrorCode::kInvalid);
}

TEST_F(KubectlTest, AHungToolIsKilled) {
  Deploy("r/shop:2");
  const auto hasty =
      NewKubectl({KUBECTL_STANDIN, folder_ + "/kubeconfig", "default", Duration(300)}, nullptr);
  const Result<Action> action = tool_->Resolve(arguments_, {});
  ASSERT_TRUE(action.ok());
  std::ifstream in(folder_ + "/cluster.json");
  std::string state((std::istreambuf_iterator<char>(in)), {});
  const std::size_t at = state.find("\"delay_ms\": 0");
  ASSERT_NE(at, std::string::npos);
  state.replace(at, 13, "\"delay_ms\": 60000");
  std::ofstream(folder_ + "/cluster.json") << state;
  const Result<Tool::Ran> ran = hasty->Run(*action);
  ASSERT_TRUE(ran.ok());
  EXPECT_EQ(ran->exit_code, -1);
  EXPECT_THAT(ran->output, HasSubstr("killed after 300ms"));
  EXPECT_FALSE(tool_->ReadBack(*action)->in_force);
}

}  // namespace
}  // namespace liveops::remediation
