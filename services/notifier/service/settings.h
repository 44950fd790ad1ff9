#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/http/http.h"
#include "common/redis/redis.h"
#include "services/notifier/channel/page.h"
#include "services/notifier/policy/pace.h"

namespace liveops::notifier {

// The notifier's own part of the configuration file. Keys: redis.{host,port,password},
// slack.webhooks (channel -> URL), slack.messages_per_second (1; 0 = no limit),
// pagerduty.routing_keys (name -> key), pagerduty.url, pagerduty.events_per_minute (120; 0 = no
// limit), http.allow_private_hosts, http.ca_file, language (en, ko, both).
struct Settings {
  redis::Config redis;
  http::SenderConfig http;
  std::map<std::string, std::string> slack_webhooks;
  std::map<std::string, std::string> pagerduty_keys;
  std::string pagerduty_url = "https://events.pagerduty.com/v2/enqueue";
  PaceLimits slack_pace;
  PaceLimits pagerduty_pace;
  Language language = Language::kEnglish;

  bool Configured(const Destination& destination) const;
  // "" when it is; else what is missing, where.
  std::string WhatIsMissing(const Destination& destination) const;
};

// Problems are told by reader.Finish().
Settings ReadSettings(config::Reader& reader);

}  // namespace liveops::notifier
