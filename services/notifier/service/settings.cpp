#include "services/notifier/service/settings.h"

#include <algorithm>

#include "services/notifier/channel/pagerduty/pagerduty.h"

namespace liveops::notifier {
namespace {

bool IsWebAddress(const std::string& url) {
  return url.starts_with("https://") || url.starts_with("http://");
}

void ReadSlack(config::Reader& reader, Settings& settings) {
  settings.slack_webhooks = reader.Map("slack.webhooks");
  for (const auto& [channel, url] : settings.slack_webhooks) {
    if (!IsWebAddress(url)) {
      // The URL is a secret: it is not repeated here.
      reader.Problem("slack.webhooks",
                     "the webhook of \"" + channel + "\" must begin with https:// (or http://)");
    }
  }
  const double per_second = reader.Number("slack.messages_per_second", 1);
  if (per_second < 0) {
    reader.Problem("slack.messages_per_second",
                   "slack.messages_per_second must be 0 (no limit) or more");
  }
  settings.slack_pace.per_second = per_second;
  settings.slack_pace.burst = std::max(1.0, 3 * per_second);  // short bursts are allowed
}

void ReadPagerDuty(config::Reader& reader, Settings& settings) {
  settings.pagerduty_keys = reader.Map("pagerduty.routing_keys");
  for (const auto& [name, key] : settings.pagerduty_keys) {
    if (key.size() != 32) {
      reader.Problem("pagerduty.routing_keys", "the key of \"" + name + "\" has " +
                                                   std::to_string(key.size()) +
                                                   " characters, a routing key has 32");
    }
  }
  std::string url = reader.String("pagerduty.url", "https://events.pagerduty.com");
  while (url.ends_with('/')) url.pop_back();
  if (!IsWebAddress(url)) {
    reader.Problem("pagerduty.url", "pagerduty.url must begin with https:// (or http://)");
  }
  if (!url.ends_with(pagerduty::kPath)) url += pagerduty::kPath;
  settings.pagerduty_url = url;
  const double per_minute = reader.Number("pagerduty.events_per_minute", 120);
  if (per_minute < 0) {
    reader.Problem("pagerduty.events_per_minute",
                   "pagerduty.events_per_minute must be 0 (no limit) or more");
  }
  settings.pagerduty_pace.per_second = per_minute / 60;
  settings.pagerduty_pace.burst = std::max(1.0, per_minute / 12);  // of 5 s
}

}  // namespace

std::string Settings::WhatIsMissing(const Destination& destination) const {
  const bool slack = destination.channel == Channel::kSlack;
  const auto& table = slack ? slack_webhooks : pagerduty_keys;
  if (table.contains(destination.name)) return "";
  return std::string("not configured: ") + (slack ? "slack.webhooks" : "pagerduty.routing_keys") +
         " has no entry \"" + destination.name + "\"";
}

bool Settings::Configured(const Destination& destination) const {
  return WhatIsMissing(destination).empty();
}

Settings ReadSettings(config::Reader& reader) {
  Settings settings;
  settings.redis.host = reader.String("redis.host", "127.0.0.1");
  settings.redis.port = static_cast<int>(reader.Integer("redis.port", 6379));
  settings.redis.password = reader.String("redis.password");
  if (settings.redis.port < 1 || settings.redis.port > 65535) {
    reader.Problem("redis.port", "redis.port must be between 1 and 65535");
  }
  settings.http.allow_private_hosts = reader.List("http.allow_private_hosts");
  settings.http.ca_file = reader.String("http.ca_file");
  ReadSlack(reader, settings);
  ReadPagerDuty(reader, settings);
  const std::string language = reader.String("language", "en");
  if (const auto parsed = ParseLanguage(language)) {
    settings.language = *parsed;
  } else {
    reader.Problem("language", "language \"" + language + "\" is none of en, ko, both");
  }
  return settings;
}

}  // namespace liveops::notifier
