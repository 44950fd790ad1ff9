#pragma once

#include <string_view>

#include "common/base/result.h"
#include "services/ingest/source/alert/foreign_alert.h"

// Alerts as they are posted to an Alertmanager: the body of `POST /api/v2/alerts`
// (https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml, postableAlerts): a
// list of {labels, annotations, startsAt, endsAt, generatorURL}. What it does not know is passed
// over.
namespace liveops::ingest::alertmanager {

// Without an endsAt: what Alertmanager calls its resolve_timeout.
inline constexpr Duration kResolveTimeout{300'000};

// kInvalid: the body is no JSON list, or of more than kAlertsMax. Pure.
Result<ForeignAlerts> Read(std::string_view body);

}  // namespace liveops::ingest::alertmanager
