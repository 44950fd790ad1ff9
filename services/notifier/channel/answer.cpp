#include "services/notifier/channel/answer.h"

#include <algorithm>
#include <charconv>

#include "common/base/text.h"
#include "services/notifier/channel/text.h"

namespace liveops::notifier {
namespace {

std::string Describe(const Answer& answer) {
  const std::string words = CutCharacters(OneLine(Trim(answer.body)), 200);
  std::string out = "HTTP " + std::to_string(answer.status);
  if (!words.empty()) out += ": " + words;
  return out;
}

}  // namespace

std::optional<Duration> ParseRetryAfter(std::string_view text) {
  const std::string_view digits = Trim(text);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  if (error != std::errc() || end != digits.data() + digits.size() || seconds < 0) {
    return std::nullopt;
  }
  return Duration(std::min<std::int64_t>(seconds, 86'400) * 1000);
}

Reading ReadFailure(const Answer& answer) {
  if (!answer.answered) {
    return {answer.surely_not_sent ? Outcome::kFailed : Outcome::kUnknown, Health::kFailed,
            std::nullopt, CutCharacters(OneLine(answer.error), 200)};
  }
  const std::optional<Duration> retry_after = ParseRetryAfter(answer.retry_after);
  const std::string detail = Describe(answer);
  if (answer.status == 429) return {Outcome::kFailed, Health::kThrottled, retry_after, detail};
  if (answer.status == 503) return {Outcome::kFailed, Health::kFailed, retry_after, detail};
  if (answer.status == 408) return {Outcome::kFailed, Health::kFailed, retry_after, detail};
  if (answer.status >= 300 && answer.status < 400) {
    return {Outcome::kRejected, Health::kAnswered, std::nullopt,
            "HTTP " + std::to_string(answer.status) + ": redirects are not followed"};
  }
  if (answer.status >= 400 && answer.status < 500) {
    return {Outcome::kRejected, Health::kAnswered, std::nullopt, detail};
  }
  return {Outcome::kUnknown, Health::kFailed, retry_after, detail};
}

}  // namespace liveops::notifier
