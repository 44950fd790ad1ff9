// Reports that whoever has a token can post: every line is accounted for, what is taken can be
// written, and a series' points ascend.
#include <cmath>
#include <map>

#include "common/base/labels.h"
#include "common/testing/fuzz.h"
#include "services/ingest/source/cost_report/report.h"

namespace liveops::fuzz {
namespace {

constexpr const char* kCur =
    "lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/UnblendedCost,lineItem/ProductCode,"
    "lineItem/UsageAmount,resourceTags/user:service\n"
    "2026-11-25T10:00:00Z,2026-11-25T11:00:00Z,1.5,AmazonEC2,2,shop\n"
    "2026-11-25T11:00:00Z,2026-11-25T12:00:00Z,-1.5,\"Amazon, Inc\",,\"a\"\"b\"\n";
constexpr const char* kFocus =
    "BilledCost,ChargePeriodStart,ChargePeriodEnd,ServiceName,Tags\r\n"
    "0.1,2026-11-25 10:00:00,2026-11-25T11:00:00+02:00,Storage,\"{\"\"service\"\":\"\"x\"\"}\"\r\n";

}  // namespace

std::vector<std::string> Seeds() {
  return {kCur, kFocus, "\xef\xbb\xbf" + std::string(kCur) + kCur};
}

std::vector<std::string> Words() {
  return {"\"",  "\"\"", ",",   "\n",         "\r\n",  "2026-11-25T10:00:00Z",     "1e308",
          "nan", "-",    "inf", "BilledCost", "SkuId", "line_item_unblended_cost", "resource_tags"};
}

void Run(std::string_view input) {
  using namespace ingest;
  cost::ReportSettings settings;
  settings.batch_bytes = 500;
  settings.labels = {"product", "charge", "tag:team"};
  const RealTime now = RealFromMs(*ParseUtc("2026-11-26T12:00:00Z"));
  const auto report = cost::ReadReport(input, settings, "", now);
  if (!report.ok()) return Demand(report.error().code == ErrorCode::kInvalid, "never to be sent");
  Demand(report->taken + report->old + report->unsettled + report->bad == report->lines,
         "each line is counted once");
  Demand(report->bad > 0 || report->problems.empty(), "a problem is of a bad line");
  std::map<std::string, std::int64_t> newest;
  for (const admit::BatchInput& batch : report->inputs()) {
    Demand(!batch.service.empty(), "a service");
    for (std::size_t i = 0; i < batch.point_value.size(); ++i) {
      const admit::SeriesInput& series = batch.series[batch.point_series[i]];
      Demand(Labels::Decode(series.labels).has_value(), "labels can be read");
      const std::int64_t age_ms = -batch.point_time_delta_ms[i];
      Demand(age_ms >= settings.settled_after.count() && age_ms < settings.past.count(),
             "its time");
      const std::string key =
          std::string(batch.service) + '\n' + std::string(batch.strings[series.metric]) + '\n' +
          std::string(batch.strings[series.unit]) + '\n' + std::string(series.labels);
      const auto [at, first] = newest.try_emplace(key, -age_ms);
      Demand(first || at->second < -age_ms, "a series ascends");
      at->second = -age_ms;
    }
  }
  const auto again = cost::ReadReport(input, settings, "", now);
  DemandSame(cost::Answer(*again, 0, {}), cost::Answer(*report, 0, {}));
}

}  // namespace liveops::fuzz
