#pragma once

#include <string_view>

#include "common/base/result.h"
#include "services/ingest/source/alert/foreign_alert.h"

// What Datadog's webhook integration posts with the payload of docs/foreign-alerts.md, whose values
// are its variables $ALERT_ID, $ALERT_TITLE, $ALERT_TRANSITION, $ALERT_SCOPE, $TAGS,
// $ALERT_PRIORITY, $ALERT_TYPE, $LINK, $DATE and $TEXT_ONLY_MSG
// (https://docs.datadoghq.com/integrations/webhooks/). The alarm is the monitor and the scope that
// it tells of; Datadog tells only what changes.
namespace liveops::ingest::datadog {

// kInvalid: the body is no JSON mapping, or has no monitor or transition. Pure.
Result<ForeignAlerts> Read(std::string_view body);

}  // namespace liveops::ingest::datadog
