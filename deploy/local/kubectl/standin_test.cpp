#include "deploy/local/kubectl/standin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

namespace liveops::standin {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class StandinTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/standin-test-XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    folder_ = folder;
    std::ofstream(folder_ + "/kubeconfig") << "# a sandbox\nstandin-state: cluster.json\n";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Output, or "exit N: message".
  std::string Do(const std::string& line) {
    std::vector<std::string> args;
    std::istringstream in(line);
    for (std::string word; in >> word;) args.push_back(word);
    std::ostringstream out, err;
    const int code = standin::Run(args, folder_ + "/kubeconfig", out, err);
    return code == 0 ? out.str() : "exit " + std::to_string(code) + ": " + err.str();
  }
  void CreateThree() {
    EXPECT_EQ(Do("create deployment shop --image=r/shop:1 --replicas=3"),
              "deployment.apps/shop created\n");
    EXPECT_EQ(Do("set image deployment/shop shop=r/shop:2"),
              "deployment.apps/shop image updated\n");
    EXPECT_EQ(Do("annotate deployment/shop kubernetes.io/change-cause=two"),
              "deployment.apps/shop annotated\n");
    EXPECT_EQ(Do("set image deployment shop *=r/shop:3"), "deployment.apps/shop image updated\n");
  }
  std::string Image() {
    return json::parse(Do("get deployment shop -n default -o json"))["spec"]["template"]["spec"]
                                                                    ["containers"][0]["image"];
  }

  std::string folder_;
};

TEST_F(StandinTest, HistoryAndUndo) {
  CreateThree();
  EXPECT_EQ(Do("rollout history deployment/shop"),
            "deployment.apps/shop \nREVISION  CHANGE-CAUSE\n1         <none>\n2         two\n"
            "3         two\n\n");
  EXPECT_EQ(Do("rollout undo deployment/shop --to-revision=1 -n default"),
            "deployment.apps/shop rolled back\n");
  EXPECT_EQ(Image(), "r/shop:1");
  // Revision 1 became 4; its old number is gone.
  EXPECT_EQ(Do("rollout history deployment/shop"),
            "deployment.apps/shop \nREVISION  CHANGE-CAUSE\n2         two\n3         two\n"
            "4         <none>\n\n");
  EXPECT_THAT(Do("rollout history deployment/shop --revision=4"), HasSubstr("Image:\tr/shop:1"));
  EXPECT_EQ(Do("rollout history deployment/shop --revision=1"),
            "exit 1: error: unable to find the specified revision\n");
  EXPECT_EQ(
      Do("rollout undo deployment/shop --to-revision=4"),
      "deployment.apps/shop skipped rollback (current template already matches revision 4)\n");
  EXPECT_EQ(Do("rollout undo deployment/shop --to-revision=9"),
            "exit 1: error: unable to find specified revision 9 in history\n");
  EXPECT_EQ(Do("rollout status deployment/shop"), "deployment \"shop\" successfully rolled out\n");
}

TEST_F(StandinTest, UndoTwiceReturnsToTheBadVersion) {
  CreateThree();
  EXPECT_EQ(Do("rollout undo deployment/shop"), "deployment.apps/shop rolled back\n");
  EXPECT_EQ(Image(), "r/shop:2");
  EXPECT_EQ(Do("rollout undo deployment/shop"), "deployment.apps/shop rolled back\n");
  EXPECT_EQ(Image(), "r/shop:3");
}

TEST_F(StandinTest, JsonHasTheShapesOfTheApi) {
  CreateThree();
  Do("rollout undo deployment/shop --to-revision=1");
  const json d = json::parse(Do("get deployment shop -o json"));
  EXPECT_EQ(d["kind"], "Deployment");
  EXPECT_EQ(d["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "4");
  EXPECT_EQ(d["spec"]["selector"]["matchLabels"], json({{"app", "shop"}}));
  const json sets = json::parse(Do("get replicasets -n default -l app=shop -o json"));
  ASSERT_EQ(sets["items"].size(), 3u);
  const json& first = sets["items"][0];
  EXPECT_EQ(first["metadata"]["ownerReferences"][0]["uid"], d["metadata"]["uid"]);
  EXPECT_EQ(first["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "4");
  EXPECT_EQ(first["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"], "1");
  EXPECT_TRUE(first["spec"]["template"]["metadata"]["labels"].contains("pod-template-hash"));
  EXPECT_FALSE(d["spec"]["template"]["metadata"]["labels"].contains("pod-template-hash"));
  EXPECT_EQ(json::parse(Do("get rs -l app=other -o json"))["items"].size(), 0u);
  EXPECT_EQ(json::parse(Do("get deployments -n elsewhere -o json"))["items"].size(), 0u);
}

TEST_F(StandinTest, Errors) {
  CreateThree();
  EXPECT_EQ(Do("get deployment nothing -o json"),
            "exit 1: Error from server (NotFound): deployments.apps \"nothing\" not found\n");
  EXPECT_EQ(Do("rollout undo deployment/nothing"),
            "exit 1: Error from server (NotFound): deployments.apps \"nothing\" not found\n");
  EXPECT_EQ(Do("rollout undo deployment/shop --server=x"),
            "exit 1: Error: unknown flag: --server\n");
  EXPECT_EQ(Do("set image deployment/shop web=x"),
            "exit 1: error: unable to find container named \"web\"\n");
  EXPECT_THAT(Do("get pods"), HasSubstr("doesn't have a resource type \"pods\""));
  EXPECT_THAT(Do("rollout undo deployment/shop --to-revision=x"), HasSubstr("invalid syntax"));
  EXPECT_EQ(Do("get deployment shop --kubeconfig=/nonexistent"),
            "exit 1: error: stat /nonexistent: no such file or directory\n");
  std::ostringstream out, err;
  EXPECT_EQ(standin::Run({"get", "deployments"}, "", out, err), 1);
  EXPECT_THAT(err.str(), HasSubstr("The connection to the server localhost:8080 was refused"));
}

TEST_F(StandinTest, OnlyOneDeploymentHasNoHistory) {
  Do("create deployment shop --image=r/shop:1");
  EXPECT_EQ(Do("rollout undo deployment/shop"),
            "exit 1: error: no rollout history found for deployment \"shop\"\n");
}

TEST_F(StandinTest, ConcurrentChangesAllCount) {
  Do("create deployment shop --image=r/shop:0");
  std::vector<std::thread> threads;
  for (int i = 1; i <= 8; ++i) {
    threads.emplace_back(
        [&, i] { Do("set image deployment/shop shop=r/shop:" + std::to_string(i)); });
  }
  for (std::thread& thread : threads) thread.join();
  const json sets = json::parse(Do("get rs -o json"));
  EXPECT_EQ(sets["items"].size(), 9u);
  std::ifstream state(folder_ + "/cluster.json");
  EXPECT_EQ(json::parse(state)["changes"].size(), 9u);
}

TEST_F(StandinTest, DelayHoldsNoLock) {
  CreateThree();
  json state = json::parse(std::ifstream(folder_ + "/cluster.json"));
  state["delay_ms"] = 300;
  std::ofstream(folder_ + "/cluster.json") << state;
  std::thread undo([&] { Do("rollout undo deployment/shop --to-revision=1"); });
  EXPECT_EQ(Image(), "r/shop:3");
  undo.join();
  EXPECT_EQ(Image(), "r/shop:1");
}

}  // namespace
}  // namespace liveops::standin
