#include "integration-tests/crash/slack_messages.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace liveops::integration {
namespace {

// The sign that a message's header begins with.
std::string NoticeOf(const std::string& title) {
  static const std::pair<const char*, const char*> kSigns[] = {
      {":red_circle:", "firing"},          {":large_orange_circle:", "firing"},
      {":large_yellow_circle:", "firing"}, {":large_blue_circle:", "firing"},
      {":black_circle:", "no data"},       {":large_green_circle:", "resolved"},
      {":raising_hand:", "acknowledged"},  {":wrench:", "proposed"},
      {":white_check_mark:", "closed"},    {":warning:", "closed"},
  };
  for (const auto& [sign, notice] : kSigns) {
    if (title.starts_with(sign)) return notice;
  }
  return "";
}

// The foot, the last block, begins with the alarm's id as code.
std::string AlarmOf(const std::string& body) {
  const auto message = nlohmann::json::parse(body, nullptr, false);
  if (!message.is_object() || !message.contains("blocks") || message["blocks"].empty()) return "";
  const auto& foot = message["blocks"].back();
  if (foot.value("type", "") != "context" || foot["elements"].empty()) return "";
  const std::string text = foot["elements"][0].value("text", "");
  const std::size_t end = text.find('`', 1);
  if (!text.starts_with('`') || end == std::string::npos) return "";
  return text.substr(1, end - 1);
}

}  // namespace

std::vector<SlackMessage> PostedMessages(const std::vector<stack::LedgerEntry>& ledger) {
  std::vector<SlackMessage> messages;
  for (const stack::LedgerEntry& entry : ledger) {
    if (entry.provider != "slack" || entry.effect != "posted") continue;
    messages.push_back({AlarmOf(entry.body), NoticeOf(entry.title), entry.title, entry.body,
                        entry.body.find("may be a repeat") != std::string::npos});
  }
  return messages;
}

std::vector<std::string> SlackBreaches(const std::vector<stack::LedgerEntry>& ledger,
                                       bool repeats) {
  std::vector<std::string> breaches;
  std::map<std::string, std::map<std::string, std::vector<SlackMessage>>> told;
  for (SlackMessage& message : PostedMessages(ledger)) {
    if (message.alarm_id.empty() || message.notice.empty()) {
      breaches.push_back("a Slack message that is not understood: " + message.title);
    } else {
      told[message.alarm_id][message.notice].push_back(std::move(message));
    }
  }
  for (const auto& [alarm, notices] : told) {
    for (const auto& [notice, messages] : notices) {
      const SlackMessage& last = messages.back();
      if (messages.size() > (repeats ? 2 : 1)) {
        breaches.push_back(fmt::format("{} of {} stands {} times in Slack: {}", notice, alarm,
                                       messages.size(), last.title));
      } else if (messages.size() == 2 && !last.may_be_repeat) {
        breaches.push_back("twice in Slack without saying that it may be a repeat: " + last.title);
      }
    }
    if (notices.contains("firing") && !notices.contains("resolved"))
      breaches.push_back(alarm + " fired in Slack and was never resolved there");
  }
  return breaches;
}

}  // namespace liveops::integration
