#pragma once

#include <string_view>

#include "common/base/result.h"
#include "services/ingest/source/alert/foreign_alert.h"

// What a New Relic workflow posts to a webhook with the default payload and a key "service" beside
// it (https://docs.newrelic.com/docs/alerts/get-notified/custom-variables-incident-workflows/): an
// issue, by its id, each time that it changes.
namespace liveops::ingest::newrelic {

// kInvalid: the body is no JSON mapping, or has no issue or no state that is New Relic's. Pure.
Result<ForeignAlerts> Read(std::string_view body);

}  // namespace liveops::ingest::newrelic
