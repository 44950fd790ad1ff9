#pragma once

#include <string>
#include <string_view>

#include "services/notifier/channel/answer.h"
#include "services/notifier/channel/page.h"

// PagerDuty Events API v2: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/.
// Pure.
namespace liveops::notifier::pagerduty {

inline constexpr const char* kPath = "/v2/enqueue";

// The JSON body. Firing, no data and a proposed remedy are triggers of one dedup_key, which
// PagerDuty takes as one alert; an acknowledgement acknowledges it, the end resolves it. Summary at
// most 1024 characters, body at most 512 KB.
std::string Render(const Page& page, Language language, std::string_view routing_key);

// "critical", "error", "warning", "info".
const char* SeverityWord(plan::Severity severity);

// 202 is a delivery, 400 is never tried again, 429 after 30 s, 5xx and no answer are.
Reading ReadAnswer(const Answer& answer);

}  // namespace liveops::notifier::pagerduty
