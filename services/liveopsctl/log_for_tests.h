#pragma once

#include <string>
#include <utility>
#include <vector>

#include "services/liveopsctl/app_test_support.h"

// For tests: commands that read Kafka find one that holds what the test wrote.
namespace liveops::ctl {

class LogTest : public AppTest {
 protected:
  LogTest() {
    open_kafka_ = [this](const kafka::ClientConfig& config) -> Result<KafkaPorts> {
      asked_ = config;
      ++opened_;
      return kafka_.Ports();
    };
  }
  Ran RunOnKafka(std::vector<std::string> words, const std::vector<std::string>& more = {}) {
    words.insert(words.end(), {"--kafka", "b:9"});
    words.insert(words.end(), more.begin(), more.end());
    return RunWords(words);
  }

  FakeKafka kafka_{"shop"};
  kafka::ClientConfig asked_;  // the last time
  int opened_ = 0;
};

// What `plan backtest` and its like say of a plan in a file.
class BacktestTest : public LogTest {
 protected:
  explicit BacktestTest(const std::string& plan) : plan_(WriteFile("shop.yaml", plan)) {}
  Ran Backtest(const std::vector<std::string>& more = {}) { return Backtest(plan_, more); }
  Ran Backtest(const std::string& file, const std::vector<std::string>& more) {
    return RunOnKafka({"plan", "backtest", file}, more);
  }
  Ran Diff(const std::string& before, const std::string& after, const std::string& last) {
    return RunOnKafka({"plan", "diff", before, after, "--last", last});
  }
  Ran CheckLive(const std::string& file) { return RunOnKafka({"plan", "check", file, "--live"}); }

  const std::string plan_;
};

inline std::string Replaced(std::string text, const std::string& before, const std::string& after) {
  text.replace(text.find(before), before.size(), after);
  return text;
}

}  // namespace liveops::ctl
