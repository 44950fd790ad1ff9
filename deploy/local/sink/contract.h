#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

// What Slack and PagerDuty take, field by field. Pure: each function returns every breach as "path:
// what is wrong", none when the request is good.
namespace liveops::sink {

using Violations = std::vector<std::string>;

// An incoming webhook's message: https://api.slack.com/messaging/webhooks,
// https://api.slack.com/reference/block-kit/blocks (50 blocks; header 150; section text 3000; 10
// fields of 2000; 25 actions; block_id 255) and its escapes
// (https://api.slack.com/reference/surfaces/formatting#escaping). Also refused: mentions of a whole
// channel, and more than 13,000 characters in all.
Violations CheckSlackMessage(const nlohmann::json& message);

// POST /v2/enqueue: https://developer.pagerduty.com/docs/send-alert-event
Violations CheckPagerDutyEvent(const nlohmann::json& event);

// POST /v2/change/enqueue: https://developer.pagerduty.com/docs/send-change-event
Violations CheckPagerDutyChange(const nlohmann::json& change);

inline constexpr std::size_t kPagerDutyBodyMax = 512 * 1024;

// The first words of a Slack message as a person sees them: its header, else its text.
std::string SlackTitle(const nlohmann::json& message);

}  // namespace liveops::sink
