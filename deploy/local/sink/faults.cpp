#include "deploy/local/sink/faults.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/base/text.h"

namespace liveops::sink {
namespace {

using nlohmann::json;
constexpr double kBurst = 5;

}  // namespace

std::string Fault::ToString() const {
  std::string text = drop ? "connection closed without an answer"
                          : (status == 0 ? "usual answer" : std::to_string(status));
  if (retry_after) text += ", retry after " + std::to_string(*retry_after) + " s";
  if (delay.count() > 0) text += ", delayed by " + FormatElapsed(delay);
  if (!drop && status != 0 && applies()) text += ", acted on";
  return text;
}

Status FaultQueue::Add(const json& request) {
  if (!request.is_object()) return InvalidError("a fault is a JSON object");
  const std::vector<std::string> known = {"provider",    "channel",  "count", "status",
                                          "retry_after", "delay_ms", "drop",  "apply"};
  for (const auto& [name, value] : request.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return InvalidError("unknown field \"" + name + "\"" + Suggestion(name, known));
    }
  }
  Fault fault;
  try {
    fault.provider = request.value("provider", "");
    fault.channel = request.value("channel", "");
    fault.count = request.value("count", 1);
    fault.status = request.value("status", 0);
    if (request.contains("retry_after")) fault.retry_after = request["retry_after"].get<int>();
    fault.delay = Duration(request.value("delay_ms", 0));
    fault.drop = request.value("drop", false);
    if (request.contains("apply")) fault.apply = request["apply"].get<bool>();
  } catch (const json::exception& e) {
    return InvalidError(e.what());
  }
  if (!fault.provider.empty() && fault.provider != "slack" && fault.provider != "pagerduty") {
    return InvalidError("provider must be slack or pagerduty");
  }
  if (fault.count < 1) return InvalidError("count must be at least 1");
  if (fault.status != 0 && (fault.status < 200 || fault.status > 599)) {
    return InvalidError("status must be 200..599");
  }
  faults_.push_back(fault);
  return {};
}

std::optional<Fault> FaultQueue::Take(const std::string& provider, const std::string& channel) {
  for (auto it = faults_.begin(); it != faults_.end(); ++it) {
    if (!it->provider.empty() && it->provider != provider) continue;
    if (!it->channel.empty() && it->channel != channel) continue;
    Fault fault = *it;
    if (--it->count == 0) faults_.erase(it);
    return fault;
  }
  return std::nullopt;
}

bool RateLimit::Take(const std::string& channel, SteadyTime now) {
  if (rate_ <= 0) return true;
  const auto [it, fresh] = buckets_.try_emplace(channel);
  Bucket& bucket = it->second;
  if (!fresh) {
    const std::chrono::duration<double> passed = now - bucket.filled;
    bucket.tokens = std::min(kBurst, bucket.tokens + passed.count() * rate_);
  }
  bucket.filled = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

}  // namespace liveops::sink
