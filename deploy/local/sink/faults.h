#pragma once

#include <deque>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/base/time.h"

namespace liveops::sink {

// What happens to a request instead of the usual answer.
struct Fault {
  std::string provider;            // "slack", "pagerduty"; "" = both
  std::string channel;             // "#oncall"; "" = any
  int count = 1;                   // requests left
  int status = 0;                  // 0 = the usual answer
  std::optional<int> retry_after;  // seconds
  Duration delay{0};               // before the answer
  bool drop = false;               // close without an answer
  std::optional<bool> apply;       // does the provider act on it?

  // Acts on it by default when the answer is lost or the usual one.
  bool applies() const { return apply.value_or(drop || status == 0); }
  std::string ToString() const;  // "503, retry after 2 s, delayed by 100 ms"
};

// Faults in the order they were asked for; the first that fits a request is used. Not thread-safe.
class FaultQueue {
 public:
  // {"provider","channel","count","status","retry_after","delay_ms","drop","apply"}; kInvalid names
  // the bad field.
  Status Add(const nlohmann::json& request);
  std::optional<Fault> Take(const std::string& provider, const std::string& channel);
  void Clear() { faults_.clear(); }
  std::size_t size() const { return faults_.size(); }

 private:
  std::deque<Fault> faults_;
};

// Slack's limit of a channel: `rate` messages a second, a burst of 5. Not thread-safe.
class RateLimit {
 public:
  explicit RateLimit(double rate) : rate_(rate) {}
  bool Take(const std::string& channel, SteadyTime now);

 private:
  struct Bucket {
    double tokens = 5;
    SteadyTime filled{};
  };
  double rate_;  // 0 = no limit
  std::map<std::string, Bucket> buckets_;
};

}  // namespace liveops::sink
