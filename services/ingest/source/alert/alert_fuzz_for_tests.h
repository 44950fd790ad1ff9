#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/text.h"
#include "common/testing/fuzz.h"
#include "services/ingest/source/alert/foreign_alert.h"

// For the fuzz programs of the sources of alerts: what holds of each reader, whatever it reads.
namespace liveops::ingest::source {

inline void DemandRefusal(const Error& error) {
  fuzz::Demand(error.code == ErrorCode::kInvalid, "what cannot be read stays so");
  fuzz::Demand(!error.message.empty() && error.message.size() < 500, "it is said in a sentence");
  fuzz::Demand(IsValidUtf8(error.message), "which can be shown");
}

inline void DemandAlerts(const Result<ForeignAlerts>& read) {
  if (!read) return DemandRefusal(read.error());
  fuzz::Demand(read->alerts.size() + read->problems.size() <= kAlertsMax, "of so many at most");
  for (const std::string& problem : read->problems)
    fuzz::Demand(!problem.empty() && IsValidUtf8(problem), "a problem is a sentence");
  for (const ForeignAlert& alert : read->alerts) {
    fuzz::Demand(!alert.name.empty(), "each has a name");
    fuzz::Demand(IsValidUtf8(alert.name), "JSON is UTF-8");
    for (const auto& time : {alert.starts, alert.ends})
      fuzz::Demand(!time || std::abs(ToMs(*time)) < 400'000'000'000'000, "times are of our era");
    if (alert.starts && alert.ends && !alert.over)
      fuzz::Demand(*alert.starts <= *alert.ends, "what ends began before");
  }
}

}  // namespace liveops::ingest::source
