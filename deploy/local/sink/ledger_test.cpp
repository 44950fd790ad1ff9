#include "deploy/local/sink/ledger.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

namespace liveops::sink {
namespace {

using nlohmann::json;

constexpr const char* kTrigger =
    R"({"routing_key":"0123456789abcdef0123456789abcdef","event_action":"trigger","dedup_key":"k",)"
    R"("payload":{"summary":"s","source":"x","severity":"critical"}})";

Received Page(const std::string& body) {
  Received request;
  request.provider = "pagerduty";
  request.content_type = "application/json";
  request.body = body;
  return request;
}

Received Message(const std::string& body) {
  Received request = Page(body);
  request.provider = "slack";
  request.channel = "#oncall";
  return request;
}

std::unique_ptr<Ledger> InMemory(double rate = 0) { return std::move(*Ledger::Open("", rate)); }

TEST(Ledger, AnswersLikeTheProviders) {
  const auto ledger = InMemory();
  const Answer page = ledger->Take(Page(kTrigger));
  EXPECT_EQ(page.status, 202);
  EXPECT_EQ(json::parse(page.body)["dedup_key"], "k");
  const Answer message = ledger->Take(Message(R"({"text":"hello"})"));
  EXPECT_EQ(message.status, 200);
  EXPECT_EQ(message.body, "ok");
  EXPECT_EQ(ledger->Take(Message("{")).body, "invalid_payload");
  EXPECT_EQ(ledger->Take(Message("{}")).body, "no_text");
  EXPECT_EQ(ledger->Take(Page("{}")).status, 400);
}

TEST(Ledger, AFaultHidesTheEffectUnlessItApplies) {
  const auto ledger = InMemory();
  ASSERT_TRUE(ledger->AddFault(json{{"provider", "pagerduty"}, {"status", 503}}).ok());
  ASSERT_TRUE(ledger->AddFault(json{{"provider", "pagerduty"}, {"drop", true}}).ok());
  EXPECT_EQ(ledger->Take(Page(kTrigger)).status, 503);
  EXPECT_TRUE(ledger->Take(Page(kTrigger)).drop);
  EXPECT_EQ(ledger->Take(Page(kTrigger)).status, 202);
  const json all = json::parse(ledger->ToJson(0));
  EXPECT_EQ(all["entries"][0]["effect"], "");
  EXPECT_EQ(all["entries"][1]["effect"], "opened");
  EXPECT_EQ(all["entries"][1]["status"], 0);
  EXPECT_EQ(all["entries"][2]["effect"], "merged");
  EXPECT_EQ(all["alerts"].size(), 1u);
  EXPECT_EQ(json::parse(ledger->ToJson(2))["entries"].size(), 1u);
}

TEST(Ledger, SaysTooManyAboveTheRate) {
  const auto ledger = InMemory(1);
  Answer answer;
  for (int i = 0; i < 6; ++i) answer = ledger->Take(Message(R"({"text":"hello"})"));
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.retry_after, 1);
}

TEST(Ledger, GoesOnFromItsFile) {
  const std::string file = testing::TempDir() + "ledger-" + std::to_string(getpid()) + ".jsonl";
  std::remove(file.c_str());
  (*Ledger::Open(file, 0))->Take(Page(kTrigger));
  {
    std::ofstream cut(file, std::ios::app);
    cut << R"({"number":2,"prov)";
  }
  const auto ledger = std::move(*Ledger::Open(file, 0));
  ledger->Take(Page(kTrigger));
  const json all = json::parse(ledger->ToJson(0));
  EXPECT_EQ(all["last"], 2);
  EXPECT_EQ(all["alerts"].size(), 1u);
  EXPECT_EQ(all["entries"][1]["effect"], "merged");
  std::remove(file.c_str());
}

}  // namespace
}  // namespace liveops::sink
